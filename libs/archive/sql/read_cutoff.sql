-- The moment that lies so many seconds ($1) back, by the database's clock.
select (clock_timestamp() - make_interval(secs => $1))::text as cutoff
