-- The scopes' new states; `latest` is the session's JSON cut out of the batch's event bytes.
insert into ledger.scopes (partition, scope_id, scope_key, version, revision, ended, attributes_digest, latest)
select partition, scope_id, scope_key, version, revision, ended, attributes_digest,
       convert_from(substring($1::bytea from start for length), 'UTF8')
  from unnest($2::smallint[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[], $7::boolean[], $8::text[],
              $9::int[], $10::int[])
    as s (partition, scope_id, scope_key, version, revision, ended, attributes_digest, start, length)
    on conflict (partition, scope_id) do update
   set version = excluded.version, revision = excluded.revision, ended = excluded.ended,
       attributes_digest = excluded.attributes_digest, latest = excluded.latest
