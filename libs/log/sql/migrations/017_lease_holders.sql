-- Whose a lease is: hashes of the scope's tenant and the session's principal. A renewal is compared with them without a
-- look at the session. NULL: it was written before this; then the decider is asked, which writes them.
alter table ledger.leases add column tenant_id uuid, add column principal_id uuid;
