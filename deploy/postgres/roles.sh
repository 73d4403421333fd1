#!/bin/bash
# Run once, when the data folder is made: the owner of the tables, the application, and a reader, none of them a superuser.
set -euo pipefail
psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set ON_ERROR_STOP=1 \
     --set owner="$OWNER_PASSWORD" --set app="$APP_PASSWORD" --set reader="$READER_PASSWORD" --set name="$POSTGRES_DB" <<'SQL'
CREATE ROLE seminars_owner LOGIN PASSWORD :'owner';
CREATE ROLE seminars_app LOGIN PASSWORD :'app';
CREATE ROLE seminars_read LOGIN PASSWORD :'reader';
ALTER DATABASE :"name" OWNER TO seminars_owner;
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"name" TO seminars_app, seminars_read;
SQL
