-- A token lives for an hour at most: what was revoked long ago is over by itself.
select issuer, subject, before from ledger.revoked_subjects where before > clock_timestamp() - interval '1 day'
