-- Until when reservations go on whose end has come: after an outage there is as much time again, at most 60 s, as for
-- leases; nothing is over while the reaper is away. Those that are over are left out.
select number::int, to_char(greatest(ledger.lease_end(until, seconds), clock_timestamp() + interval '1 second') at time zone 'UTC',
                       'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as until
  from unnest($1::timestamptz[], $2::int[]) with ordinality as asked (until, seconds, number)
 where not ledger.lease_is_over(until, seconds)
