#!/bin/sh
# Run once by PostgreSQL's image, when its volume is new: a database and a user each for Synapse and Tickettruhe.
set -eu
psql --username=postgres --set=ON_ERROR_STOP=1 \
    --set=synapse="$SYNAPSE_DATABASE_PASSWORD" --set=tickettruhe="$TICKETTRUHE_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE synapse LOGIN PASSWORD :'synapse';
CREATE ROLE tickettruhe LOGIN PASSWORD :'tickettruhe';
-- Synapse insists on this order of letters.
CREATE DATABASE synapse OWNER synapse ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
CREATE DATABASE tickettruhe OWNER tickettruhe ENCODING 'UTF8' TEMPLATE template0;
SQL
