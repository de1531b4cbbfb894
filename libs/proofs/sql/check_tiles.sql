-- Stored tiles after a place, in order, each with what it has to be made of.
select t.level, t.index, t.root, t.hashes,
       case
         when t.level = 0 then ledger.leaf_hashes(t.partition, t.index * 256 + 1, t.index * 256 + 256)
         else (select string_agg(b.root, ''::bytea order by b.index) from ledger.tiles b
                where b.partition = t.partition and b.level = t.level - 1
                  and b.index between t.index * 256 and t.index * 256 + 255)
       end as wanted
  from ledger.tiles t
 where t.partition = $1 and (t.level, t.index) > ($2::smallint, $3::bigint)
 order by t.level, t.index
 limit $4
