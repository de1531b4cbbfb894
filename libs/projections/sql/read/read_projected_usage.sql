-- What was used in a scope up to a sequence, and where the projection stands.
select p.sequence as reached,
       ledger.usage_up_to($1, g.generation, (select o.scope_id from ledger.scopes o
                                              where o.partition = $1 and o.scope_id = $2 and o.scope_key = $4), $3) as usage
  from ledger.projection_generations g
  join ledger.projection_positions p on p.generation = g.generation and p.partition = $1
 where g.state = 'live'
