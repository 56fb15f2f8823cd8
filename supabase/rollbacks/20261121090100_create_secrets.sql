-- Purpose: undo create_secrets.
-- Locks: none. Data safety: secrets in private.secrets are lost; those in Vault stay.

drop function if exists private.forget_secret(text);
drop function if exists private.set_secret(text, text);
drop function if exists private.secret(text);
drop function if exists private.find_secret(text);
drop table if exists private.secrets;
