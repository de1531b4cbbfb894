-- How many full tiles a partition has on each level up to the 7th; they are made without holes.
select l.level::smallint as level,
       coalesce((select t.index + 1 from ledger.tiles t
                  where t.partition = $1 and t.level = l.level order by t.index desc limit 1), 0) as tiles
  from generate_series(0, 6) as l (level)
 order by l.level
