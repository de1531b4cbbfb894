-- The check of what leaves for an archive, hashed once a statement and compared by stretches instead of event by event:
-- half of a removal's time was looking up the same rows of leaves again. What it refuses is the same: each event that
-- goes must be one of an archive's, its leaf hash must stay at its place, and nothing older may be left behind.
create or replace function ledger.check_removal() returns trigger language plpgsql set search_path = '' as $$
declare
  part record;   -- what goes of a partition
  leaves bigint; -- the first row of leaves that it needs
begin
  for part in
    select partition, min(sequence) as first, max(sequence) as last,
           string_agg(sha256('\x00'::bytea || bytes), ''::bytea order by sequence) as hashes
      from gone
     group by partition
  loop
    if exists (select from ledger.events e where e.partition = part.partition and e.sequence < part.last) then
      raise exception 'events are deleted from the oldest on' using errcode = 'restrict_violation';
    end if;
    select max(l.first) into leaves from ledger.archived_leaves l
     where l.partition = part.partition and l.first <= part.first;
    if leaves is null
       or length(part.hashes) <> (part.last - part.first + 1) * 32
       or part.last > coalesce((select a.last from ledger.archives a
                                 where a.partition = part.partition order by a.first desc limit 1), 0)
       -- A row of leaves counts from its first sequence up to the next row's.
       or exists (
         select from (select greatest(l.first, part.first) as first, l.first as begins, l.hashes,
                             lead(l.first, 1, part.last + 1) over (order by l.first) as next
                        from ledger.archived_leaves l
                       where l.partition = part.partition and l.first between leaves and part.last) l
          where substring(l.hashes from ((l.first - l.begins) * 32 + 1)::int for ((l.next - l.first) * 32)::int)
                is distinct from
                substring(part.hashes from ((l.first - part.first) * 32 + 1)::int for ((l.next - l.first) * 32)::int))
    then
      raise exception 'only archived events can be deleted' using errcode = 'restrict_violation';
    end if;
  end loop;
  return null;
end $$;
