--
-- Installing: the objects of the extension, their comments and rights, and
-- that the SQL script agrees with the library and the API's document.
-- The later tests use the helpers that are made here.
--

SET client_min_messages = error;
DROP EXTENSION IF EXISTS jibit CASCADE;  -- of another test
RESET client_min_messages;

-- A name that needs quotes is as good as any; and the extension need not be
-- in the search_path.
CREATE EXTENSION jibit SCHEMA "Inquiries 100%";  -- no such schema
CREATE SCHEMA "Inquiries 100%";
-- Nor does it matter what new objects are usually kept from.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE USAGE ON TYPES FROM PUBLIC;
CREATE EXTENSION jibit SCHEMA "Inquiries 100%";
ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT USAGE ON TYPES TO PUBLIC;
\getenv base_url JIBIT_SANDBOX_URL
SET jibit.allow_http = on;
SET jibit.track_id = 'regress';
SET search_path = pg_catalog;
SELECT "Inquiries 100%".jibit_set_credentials('sandbox-key', 'sandbox-secret',
                                              base_url => :'base_url');
SELECT iban FROM "Inquiries 100%".jibit_card_to_iban('6037991234567893');
SELECT "Inquiries 100%".jibit_request('/v1/cards', '{"number": "6037991234567893"}') -> 'number' AS number;
SELECT count(*) FROM "Inquiries 100%".jibit_inquiries;
SELECT item, ok FROM "Inquiries 100%".jibit_check() WHERE item = 'inquiry accepted';
CREATE ROLE regress_jibit_user;
SELECT "Inquiries 100%".jibit_grant('regress_jibit_user');
SET ROLE regress_jibit_user;
SELECT matched FROM "Inquiries 100%".jibit_match_shahkar('0123456789', '09123456789');
SELECT "Inquiries 100%".jibit_valid_card('6037991234567893') AS valid, count(*) FROM "Inquiries 100%".jibit_banks;
SELECT count(*) FROM "Inquiries 100%".jibit_inquiries;
CREATE TEMP TABLE cards (card "Inquiries 100%".jibit_card_text, info "Inquiries 100%".jibit_card_info);
DROP TABLE cards;
RESET ROLE;
SELECT "Inquiries 100%".jibit_revoke('regress_jibit_user');
ALTER SCHEMA "Inquiries 100%" RENAME TO "inquiries";
SELECT inquiries.jibit_grant('regress_jibit_user', '{card}');
SELECT has_function_privilege('regress_jibit_user', 'inquiries.jibit_card(text)', 'EXECUTE');
SELECT inquiries.jibit_revoke('regress_jibit_user');
ALTER SCHEMA inquiries RENAME TO "Inquiries 100%";
DROP ROLE regress_jibit_user;
RESET search_path;

-- It stays where it was put, since its functions name its schema.
ALTER EXTENSION jibit SET SCHEMA public;

-- Nothing is left behind.
DROP EXTENSION jibit;
DROP SCHEMA "Inquiries 100%";

-- Where others may create objects, theirs serve nothing in the script.
CREATE ROLE regress_jibit_user;
CREATE SCHEMA open_to_all;
GRANT ALL ON SCHEMA open_to_all TO regress_jibit_user;
SET ROLE regress_jibit_user;
CREATE FUNCTION open_to_all.trap(oid, regclass) RETURNS boolean LANGUAGE plpgsql
AS $$BEGIN RAISE EXCEPTION 'called as %', current_user; END$$;
CREATE FUNCTION open_to_all.trap(bigint, float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT -1::float8';
CREATE OPERATOR open_to_all.= (LEFTARG = oid, RIGHTARG = regclass, FUNCTION = open_to_all.trap);
CREATE OPERATOR open_to_all./ (LEFTARG = bigint, RIGHTARG = float8, FUNCTION = open_to_all.trap);
RESET ROLE;
CREATE EXTENSION jibit SCHEMA open_to_all;
DROP OWNED BY regress_jibit_user;  -- nothing depends on it
DROP EXTENSION jibit;
DROP SCHEMA open_to_all;
DROP ROLE regress_jibit_user;

-- Now for good, in a schema of its own.
CREATE SCHEMA jibit;
CREATE EXTENSION jibit SCHEMA jibit;
SELECT current_database() AS db \gset
ALTER DATABASE :"db" SET search_path = public, jibit;
SET search_path = public, jibit;
SELECT extversion = '1.0' AS is_1_0, extconfig::regclass[] FROM pg_extension WHERE extname = 'jibit';

-- The tests fail on purpose, many times in a row: no breaker, which belongs to
-- the server and not to a session. `caches` resets this, and puts
-- back what was set before; so does `queue`.
CREATE TABLE settings_before AS
  SELECT name, setting FROM pg_file_settings
  WHERE sourcefile ~ '/postgresql\.auto\.conf$' AND name LIKE 'jibit.%';
ALTER SYSTEM SET jibit.breaker_threshold = 0;
SELECT pg_reload_conf();

CREATE VIEW members AS
  SELECT classid, objid, pg_describe_object(classid, objid, 0) AS object
  FROM pg_depend
  WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
    AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'jibit')
    -- PostgreSQL 18 counts the types of arrays and of tables too.
    AND NOT (classid = 'pg_type'::regclass
             AND objid IN (SELECT t.oid FROM pg_type t LEFT JOIN pg_class c ON c.oid = typrelid
                           WHERE typcategory = 'A' OR c.relkind IN ('r', 'v')));
CREATE VIEW functions AS
  SELECT p.*, p.oid::regprocedure AS function,
         (p.proargnames)[:p.pronargs] AS argument_names
  FROM members m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid;

-- Everything explains itself in \d.
SELECT object FROM members WHERE obj_description(objid, classid::regclass::name) IS NULL;
SELECT attname FROM pg_attribute
WHERE attrelid = 'jibit_credentials'::regclass AND attnum > 0
  AND col_description(attrelid, attnum) IS NULL;

-- What there is beside the inquiries.
SELECT object FROM members
WHERE classid <> 'pg_proc'::regclass
   OR objid NOT IN (SELECT f.oid FROM functions f JOIN jibit_inquiries i ON f.proname = 'jibit_' || i.inquiry)
ORDER BY object COLLATE "C";

-- The library's list of inquiries.
SELECT inquiry, arguments, path, charged, cacheable FROM jibit_inquiries;

-- Their functions, in all forms: arguments, defaults, result.
SELECT proname, pg_get_function_arguments(oid) AS arguments, pg_get_function_result(oid) AS result
FROM jibit_inquiries JOIN functions ON proname = 'jibit_' || inquiry
ORDER BY 1, 2 \g (format=unaligned tuples_only=on)

-- The columns of what they return.
SELECT DISTINCT t.typname AS type,
       (SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
        FROM pg_attribute WHERE attrelid = t.typrelid AND attnum > 0) AS columns
FROM jibit_inquiries JOIN functions ON proname = 'jibit_' || inquiry JOIN pg_type t ON t.oid = prorettype
ORDER BY 1 \g (format=unaligned tuples_only=on)

-- The functions have just the arguments that the library expects, and the
-- text form comes first in rank: each inquiry has one with text only.
SELECT function FROM jibit_inquiries JOIN functions ON proname = 'jibit_' || inquiry
WHERE argument_names IS DISTINCT FROM nullif(arguments, '{}') AND pronargs > 0;
SELECT inquiry FROM jibit_inquiries
WHERE NOT EXISTS (SELECT FROM functions
                  WHERE proname = 'jibit_' || inquiry AND pronargs = cardinality(arguments)
                    AND 'text'::regtype = ALL (proargtypes::oid[]));
-- Whatever returns a type that has a track_id is an inquiry.
SELECT function FROM functions
WHERE prorettype IN (SELECT t.oid FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid
                     WHERE a.attname = 'track_id' AND t.typname <> 'jibit_error')
  AND proname <> ALL (SELECT 'jibit_' || inquiry FROM jibit_inquiries);

-- A call must never be made by EXPLAIN, in a parallel worker, or before what
-- is cheaper; and not by just anybody.
SELECT function FROM functions
WHERE (proname IN (SELECT 'jibit_' || inquiry FROM jibit_inquiries) OR proname IN ('jibit_request', 'jibit_check'))
  AND (prolang <> (SELECT oid FROM pg_language WHERE lanname = 'c') OR provolatile <> 'v'
       OR proparallel <> 'r' OR procost < 1000 OR prosecdef);
SELECT function FROM functions WHERE has_function_privilege('public', oid, 'EXECUTE')
ORDER BY 1;
-- Only what has an argument that may be NULL is not strict.
SELECT function FROM functions
WHERE NOT proisstrict AND proname IN (SELECT 'jibit_' || inquiry FROM jibit_inquiries);
SELECT count(*) AS symbols, count(DISTINCT prosrc) AS different FROM functions
JOIN jibit_inquiries ON proname = 'jibit_' || inquiry AND prosrc = proname;

-- Nothing of it is open to everybody but what knows no secret.
SELECT object FROM members JOIN pg_class c ON classid = 'pg_class'::regclass AND c.oid = objid
WHERE has_table_privilege('public', c.oid, 'SELECT, INSERT, UPDATE, DELETE') ORDER BY 1;

--
-- Helpers for the tests.
--

-- A control call.
CREATE FUNCTION sandbox(control text, query jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql SET jibit.profile = 'sandbox' SET jibit.on_error = 'error'
SET jibit.timeout = '30s' SET jibit.connect_timeout = '5s' AS $$
  SELECT jibit_request('/v1/sandbox/' || control, query);
$$;

-- Makes the sandbox give a fault to the next inquiries (0: to all), or stop.
CREATE FUNCTION fault(name text, times int DEFAULT 1) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM sandbox('set', jsonb_build_object('fault', name, 'fault_count', times));
END
$$;

-- An input that passes the local checks and makes the sandbox give a fault.
CREATE FUNCTION magic(kind text, fault text, variant int DEFAULT 0) RETURNS text
LANGUAGE sql AS $$
  SELECT sandbox('magic', jsonb_build_object('kind', kind, 'fault', fault, 'variant', variant)) ->> 'value';
$$;

-- How often each operation was called since the last look.
CREATE FUNCTION calls() RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  stats jsonb := sandbox('stats') - '{total,other,charged,errors,connections,in_flight,max_concurrent}'::text[];
  seen jsonb := coalesce(nullif(current_setting('regress.seen', true), ''), '{}');
BEGIN
  PERFORM set_config('regress.seen', stats::text, false);
  RETURN (SELECT coalesce(jsonb_object_agg(key, n ORDER BY key), '{}')
          FROM (SELECT key, value::int - coalesce(seen ->> key, '0')::int AS n FROM jsonb_each_text(stats)) d
          WHERE n <> 0);
END
$$;

-- Points the session to the test's sandbox. Control calls go through a profile
-- of their own, with tokens of its own (it spells the URL in another way), so
-- that a test can spoil the one that inquiries use.
CREATE FUNCTION use_sandbox(url text) RETURNS void LANGUAGE sql AS $$
  DELETE FROM jibit_credentials;
  SELECT set_config('jibit.allow_http', 'on', false), set_config('jibit.track_id', 'regress', false),
         set_config('jibit.max_retries', '0', false),
         set_config('jibit.cache_ttl', '0', false), set_config('jibit.statement_cache', 'off', false);
  SELECT jibit_set_credentials('sandbox-key', 'sandbox-secret', 'default', url),
         jibit_set_credentials('sandbox-key', 'sandbox-secret', 'sandbox', replace(url, 'http:', 'HTTP:'));
  SELECT jibit_forget_tokens();
  SELECT calls();
$$;

-- The query of the latest request.
CREATE FUNCTION sent() RETURNS jsonb LANGUAGE sql AS $$
  SELECT sandbox('requests', '{"last": 1}') #> '{requests,0,query}';
$$;

-- Runs a statement that must fail, and gives the error's fields.
CREATE FUNCTION expect_error(statement text, OUT state text, OUT code text, OUT message text, OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  message := 'no error';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, code = CONSTRAINT_NAME, message = MESSAGE_TEXT,
    detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END
$$;

-- Does the whole work?
SELECT use_sandbox(:'base_url');
SELECT magic('card', 'card.not_valid') AS card \gset
SELECT * FROM expect_error(format('SELECT jibit_card(%L)', :'card')) \gx
SELECT calls();
SELECT calls();
