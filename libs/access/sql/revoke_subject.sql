insert into ledger.revoked_subjects (issuer, subject, before) values ($1, $2, clock_timestamp())
    on conflict (issuer, subject) do update set before = excluded.before
