-- The database's clock, under locks that an earlier packet has taken: the commands that are decided came after that.
select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now
