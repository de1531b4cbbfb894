import { join } from 'node:path';

/** What a broker's configuration depends on. */
export interface KafkaPlace {
  directory: string;
  port: number;
  controllerPort: number;
}

/** `server.properties` of one node that is broker and controller, on loopback only. */
export function serverProperties(
  { directory, port, controllerPort }: KafkaPlace,
  more: Readonly<Record<string, string>> = {},
): string {
  return properties({
    'process.roles': 'broker,controller',
    'node.id': '1',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    // Named here and not in the log, so that the controller's port may differ from start to start.
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'log.dirs': join(directory, 'logs'),
    // A topic with the wrong number of partitions would scatter scopes: the service makes its own.
    'auto.create.topics.enable': 'false',
    // One node: internal topics cannot have more replicas, and need no 50 partitions.
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'share.coordinator.state.topic.num.partitions': '4',
    // Waiting for more members to join is for fleets; here it would only delay the first consumer by 3 s.
    'group.initial.rebalance.delay.ms': '0',
    // After a kill -9 the node waits out its own old session before it may register again.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    // 128 MB of a 512 MB heap otherwise.
    'log.cleaner.dedupe.buffer.size': '16777216',
    ...more,
  });
}

/** `log4j2.properties`: warnings to kafka.log in the data directory, at most three files of 10 MB. */
export function loggingProperties({ directory }: KafkaPlace): string {
  const file = join(directory, 'kafka.log');
  return properties({
    'appender.file.type': 'RollingFile',
    'appender.file.name': 'file',
    'appender.file.fileName': file,
    'appender.file.filePattern': `${file}.%i`,
    'appender.file.layout.type': 'PatternLayout',
    'appender.file.layout.pattern': '%d{ISO8601} %p %c{1}: %m%n',
    'appender.file.policies.type': 'Policies',
    'appender.file.policies.size.type': 'SizeBasedTriggeringPolicy',
    'appender.file.policies.size.size': '10MB',
    'appender.file.strategy.type': 'DefaultRolloverStrategy',
    'appender.file.strategy.max': '2',
    'rootLogger.level': 'warn',
    'rootLogger.appenderRef.file.ref': 'file',
  });
}

/** Java's properties format: a backslash escapes, also itself. */
function properties(entries: Record<string, string>): string {
  return Object.entries(entries)
    .map(([key, value]) => `${key}=${value.replaceAll('\\', '\\\\')}\n`)
    .join('');
}
