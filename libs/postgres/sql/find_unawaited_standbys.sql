-- Whether standbys receive the log and no commit waits for any of them. What each one is awaited for only a monitoring
-- role sees; that nobody is named is for everyone to see.
select current_setting('synchronous_standby_names') = ''
       and exists (select from pg_stat_replication) as unawaited
