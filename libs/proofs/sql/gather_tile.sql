-- The hashes of one full tile as they are made: leaves, or the roots of 256 tiles below.
select case
         when $2::smallint = 0 then ledger.leaf_hashes($1::smallint, $3::bigint * 256 + 1, $3 * 256 + 256)
         else (select string_agg(t.root, ''::bytea order by t.index) from ledger.tiles t
                where t.partition = $1 and t.level = $2 - 1 and t.index between $3 * 256 and $3 * 256 + 255)
       end as hashes
