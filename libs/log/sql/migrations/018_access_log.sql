-- Who did what that an owner of the ledger wants to know later. Can only be added to, by month: what is over 400 days old
-- goes with its month.
create table ledger.access_log (
  at        timestamptz not null default clock_timestamp(),
  -- What became of it: the status of the answer.
  status    smallint not null,
  -- How often, where one row stands for several: refused credentials are summed up.
  count     int not null default 1,
  -- A key's id, `token`, `none` or `database`.
  credential text not null,
  principal text not null,
  tenant    text not null,
  address   text not null,
  operation text not null
) partition by range (at);
create index access_log_by_time on ledger.access_log (at);
create table ledger.access_log_default partition of ledger.access_log default;

-- Makes the partitions of this month and the next one, and drops those that ended 400 days ago. With its owner's rights,
-- because the service may not create tables.
create function ledger.rotate_access_log() returns void language plpgsql security definer
  set search_path = '' set lock_timeout = '2s' as $$
declare
  month date := date_trunc('month', now() at time zone 'UTC')::date;
  first date;
  old text;
begin
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('session-ledger access log'));
  foreach first in array array[month, (month + interval '1 month')::date] loop
    begin
      execute format(
        'create table if not exists ledger.%I partition of ledger.access_log for values from (%L) to (%L)',
        'access_log_' || to_char(first, 'YYYYMM'), first || ' 00:00:00+00',
        (first + interval '1 month')::date || ' 00:00:00+00');
    exception when check_violation then null; -- the default partition holds rows of that month
    end;
  end loop;
  delete from ledger.access_log_default where at < now() - interval '400 days';
  for old in
    select tablename from pg_catalog.pg_tables
     where schemaname = 'ledger' and tablename ~ '^access_log_[0-9]{6}$'
       and tablename < 'access_log_' || to_char(now() - interval '400 days' - interval '1 month', 'YYYYMM')
  loop
    execute format('drop table if exists ledger.%I', old);
  end loop;
end $$;
revoke all on function ledger.rotate_access_log() from public;
grant execute on function ledger.rotate_access_log() to session_ledger;
grant select, insert on ledger.access_log to session_ledger;
