-- Tiles that are not there although later ones of their level are: they are made without holes, so somebody took these out.
select m.level::smallint as level, i.index
  from (select t.level, max(t.index) as newest from ledger.tiles t where t.partition = $1 group by t.level) m,
       lateral generate_series(0, m.newest) as i (index)
 where not exists (select from ledger.tiles t where t.partition = $1 and t.level = m.level and t.index = i.index)
 order by 1, 2
 limit $2
