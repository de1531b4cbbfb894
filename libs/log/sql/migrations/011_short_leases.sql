-- A lease of 2 s did not outlive a restart that took just under the 2 s that count as an outage. One of less than 4 s is
-- given time after 1 s: whoever renews three times in a lease's time then keeps it, unless it lasts 1 s only.
alter table ledger.reaper add column short_resumed_at timestamptz not null default '-infinity';

-- When a lease really is over. After an outage its owner gets the time of the lease, at most 60 s, to renew.
create or replace function ledger.lease_end(until timestamptz, seconds int) returns timestamptz language sql stable as $$
  select greatest(until, case when seconds < 4 then r.short_resumed_at else r.resumed_at end
                         + make_interval(secs => least(seconds, 60)))
    from ledger.reaper r
$$;

-- Whether a lease is over. Not while the reaper is away: then nobody knows whether the database was, too.
create or replace function ledger.lease_is_over(until timestamptz, seconds int) returns boolean language sql volatile as $$
  select clock_timestamp() >= greatest(until, case when seconds < 4 then r.short_resumed_at else r.resumed_at end
                                              + make_interval(secs => least(seconds, 60)))
     and clock_timestamp() < r.seen_at + make_interval(secs => case when seconds < 4 then 1 else 2 end)
    from ledger.reaper r
$$;
