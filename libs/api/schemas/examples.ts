/** What the page of /docs offers in requests. */
export const ada = { userId: 'ada', projectId: 'captions' };
export const owner = { environment: 'cloud-dev', instance: 'worker-7' };
export const sessionId = '01920000-0000-7003-8000-000000000000';

/** What the page of /docs offers for the parameters that a request needs, and for the project. */
export const parameterExamples: Readonly<Record<string, string | number>> = {
  ...ada,
  ...{
    sessionId,
    jobId: sessionId,
    keyId: 'slt_7Gq2',
    versionId: 'v42',
    consumer: 'editor',
    code: 'stale-session',
  },
  ...{ partition: 0, position: '0:1', from: 0, to: 0, tile: '0/000' },
};
