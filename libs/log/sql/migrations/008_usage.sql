-- What was used, summed per chain and per scope, and what past sessions were once.

-- Read model: of each report one row for its chain (of_id: the root's id) and one for its scope (of_id: the scope's
-- id), with the sums of all reports in its currency up to it ('' is none). So the sums at any position are one row for
-- each currency, and a row is right when it adds its own report to the row before it. Decimals, since the counts of
-- many sessions may pass what a bigint holds.
create table ledger.projected_usage (
  sequence      bigint not null,
  of_id         uuid not null,
  generation    int not null,
  partition     smallint not null,
  currency      text not null,
  operations    numeric not null,
  input_tokens  numeric not null,
  output_tokens numeric not null,
  cached_tokens numeric not null,
  duration_ms   numeric not null,
  cost          numeric not null,
  primary key (partition, generation, of_id, currency, sequence)
);
grant select, insert, delete on ledger.projected_usage to session_ledger;

-- Up to where a generation has summed without a gap. Less than its sequence after a version that knew of no sums has
-- projected; then none are told until the next rebuild.
alter table ledger.projection_positions add summed bigint not null default 0;

-- The sums of a chain or a scope up to a sequence, as JSON; null while there is a gap. Its cost grows with the number of
-- currencies alone: of each it takes one step of the index to find it, and one to its last row. A count stays at
-- 2^53-1, the largest that every reader of JSON takes as it is.
create function ledger.usage_up_to(of_partition smallint, of_generation int, id uuid, until bigint) returns text
  language sql stable as $$
with recursive currencies as (
  (select u.currency from ledger.projected_usage u
    where u.partition = of_partition and u.generation = of_generation and u.of_id = id
    order by u.currency limit 1)
  union all
  select (select u.currency from ledger.projected_usage u
           where u.partition = of_partition and u.generation = of_generation and u.of_id = id and u.currency > c.currency
           order by u.currency limit 1)
    from currencies c
   where c.currency is not null
),
sums as (
  select last.*
    from currencies c
   cross join lateral (
     select * from ledger.projected_usage u
      where u.partition = of_partition and u.generation = of_generation and u.of_id = id and u.currency = c.currency
        and u.sequence <= until
      order by u.sequence desc limit 1) last
)
select format('{"operations":%s,"inputTokens":%s,"outputTokens":%s,"cachedTokens":%s,"durationMs":%s,"cost":{%s}}',
              least(coalesce(sum(s.operations), 0), 9007199254740991),
              least(coalesce(sum(s.input_tokens), 0), 9007199254740991),
              least(coalesce(sum(s.output_tokens), 0), 9007199254740991),
              least(coalesce(sum(s.cached_tokens), 0), 9007199254740991),
              least(coalesce(sum(s.duration_ms), 0), 9007199254740991),
              string_agg(format('"%s":"%s"', s.currency, trim_scale(s.cost)), ',' order by s.currency)
                filter (where s.currency <> ''))
  from ledger.projection_positions p
  left join sums s on true
 where p.partition = of_partition and p.generation = of_generation and p.summed = p.sequence
 group by p.partition
$$;

-- What was told of sessions that had ended, by the first session id in the event's bytes, which is theirs: with the
-- event that ended one it leads to what that one was at any time.
create index events_of_the_past on ledger.events
  (substring(bytes from position('"sessionId":"'::bytea in bytes) + 13 for 36), sequence)
  where type in ('UsageRecorded', 'CheckpointMarked', 'SessionInvalidated')
    and position('"session":{'::bytea in bytes) = 0;

-- As before (006), and also the scope's last event of any kind up to then (`until`). Versions are dense: the search by
-- halves goes over all of them, and one step more leads to the last that carries a session.
drop function ledger.session_as_of(smallint, uuid, bigint, timestamptz);
create function ledger.session_as_of(of_partition smallint, of_scope uuid, until_sequence bigint, until_at timestamptz,
  out future boolean, out until bigint, out sequence bigint, out bytes bytea) language plpgsql volatile as $$
declare
  head ledger.heads;
  low bigint := 0; -- up to this version it is not too late
  high bigint;     -- from this one on it is
  seen record;
begin
  select * into strict head from ledger.heads h where h.partition = of_partition;
  -- The millisecond at hand may still get events.
  future := coalesce(until_sequence > head.sequence, until_at >= date_trunc('milliseconds', clock_timestamp()));
  if future then return; end if;
  if head.at <= until_at and until_at > clock_timestamp() - interval '30 seconds' then
    perform 1 from ledger.heads h where h.partition = of_partition for key share;
  end if;
  select s.version + 1 into high from ledger.scopes s where s.partition = of_partition and s.scope_id = of_scope;
  while high - low > 1 loop
    select e.sequence, e.at into seen from (
      select w.sequence, w.at from ledger.events w
       where w.scope_id = of_scope and position('"session":{'::bytea in w.bytes) > 0 and w.version = (low + high) / 2
       union all
      select o.sequence, o.at from ledger.events o
       where o.scope_id = of_scope and position('"session":{'::bytea in o.bytes) = 0 and o.version = (low + high) / 2
    ) e;
    if coalesce(seen.sequence > until_sequence, seen.at > until_at, false) then
      high := (low + high) / 2;
    else
      low := (low + high) / 2; -- one that is gone is archived, and so are those before it
      until := seen.sequence;
    end if;
  end loop;
  select e.sequence, e.bytes into sequence, bytes from ledger.events e
   where e.scope_id = of_scope and position('"session":{'::bytea in e.bytes) > 0 and e.version <= low
   order by e.version desc limit 1;
end $$;
