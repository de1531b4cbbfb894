-- Tiles by level, index and width, in the order asked for. A full one is stored; a partial one is made of roots of those
-- below, or of leaves. NULL, or shorter: not made yet, or the log has not come so far.
select case
         when w.width = 256 then
           (select t.hashes from ledger.tiles t where t.partition = $1 and t.level = w.level and t.index = w.index)
         when w.level = 0 then
           ledger.leaf_hashes($1, w.index * 256 + 1, w.index * 256 + w.width)
         else
           (select string_agg(t.root, ''::bytea order by t.index) from ledger.tiles t
             where t.partition = $1 and t.level = w.level - 1
               and t.index between w.index * 256 and w.index * 256 + w.width - 1)
       end as hashes
  from unnest($2::smallint[], $3::bigint[], $4::int[]) with ordinality as w (level, index, width, number)
 order by w.number
