-- Whether Postgres takes writes, without writing to the ledger: a sort that does not fit into memory is put into a
-- temporary file, which is refused (53100) on a disk that is full. Locks nothing, and leaves nothing behind.
-- Two statements in one message are one transaction, so the setting ends with it.
set local work_mem = '64kB';
select current_setting('transaction_read_only') = 'on' as read_only,
       -- How old the newest transaction is that a standby has. NULL elsewhere, and before there is one.
       case when pg_is_in_recovery()
            then extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::float8 end as lag_seconds,
       count(distinct repeat(md5(n::text), 16)) as sorted
from generate_series(1, 1000) n
