-- The replicas that are connected, by what their connections to the log's end are called ($1 and an id). Of other logins'
-- connections Postgres tells no more than that.
select distinct substr(application_name, length($1::text) + 1) as id
  from pg_stat_activity
 where datname = current_database() and starts_with(application_name, $1)
 order by 1
 limit 100
