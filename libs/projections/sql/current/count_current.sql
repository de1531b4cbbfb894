-- How many current sessions a tenant has by status, and by environment: the 50 that have the most. The empty
-- environment is of those that nobody owns.
select c.status, coalesce(c.environment, '') as environment, grouping(c.status) = 0 as of_status, count(*) as count
  from ledger.projected_current c
 where c.tenant = $1 and c.generation = (select g.generation from ledger.projection_generations g where g.state = 'live')
 group by grouping sets ((c.status), (c.environment))
 order by of_status desc, count(*) desc, c.environment
 limit 54
