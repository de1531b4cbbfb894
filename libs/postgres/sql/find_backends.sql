-- Which of some backends are still there, and since when the server runs: after a failover their numbers mean nothing.
select pg_postmaster_start_time()::text as server,
       array(select pid from pg_stat_activity
              where pid = any($1::int[]) and datname = current_database() and usename = session_user) as pids
