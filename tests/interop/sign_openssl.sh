#!/bin/sh
# One request signed by openssl and sent by curl, as one does it by hand to see what is wrong.
# Takes its parameters from the environment, prints the body and on a last line the status.
#
#   METHOD URL TOKEN REQUEST_ID KEYID   the request
#   CA QWAC QWAC_KEY QSEALC_KEY         files
#   BODY                                a file, or empty
#   CHANGED_BODY CHANGED_DIGEST         what is sent instead of what was signed, or empty
set -eu

path=/${URL#https://*/}
method=$(printf %s "$METHOD" | tr '[:upper:]' '[:lower:]')
covered="(request-target) x-request-id"
signing_string="(request-target): $method $path
x-request-id: $REQUEST_ID"

set -- --silent --request "$METHOD" --write-out '\n%{http_code}' \
    --cacert "$CA" --cert "$QWAC" --key "$QWAC_KEY" \
    --header "Authorization: Bearer $TOKEN" --header "X-Request-ID: $REQUEST_ID"

if [ -n "$BODY" ]; then
    digest="SHA-256=$(openssl dgst -sha256 -binary "$BODY" | openssl base64 -A)"
    covered="$covered digest"
    signing_string="$signing_string
digest: $digest"
    set -- "$@" --header "Content-Type: application/json" \
        --header "Digest: ${CHANGED_DIGEST:-$digest}" --data-binary "@${CHANGED_BODY:-$BODY}"
fi

signature=$(printf %s "$signing_string" | openssl dgst -sha256 -sign "$QSEALC_KEY" | openssl base64 -A)

exec curl "$@" \
    --header "Signature: keyId=\"$KEYID\",algorithm=\"rsa-sha256\",headers=\"$covered\",signature=\"$signature\"" \
    "$URL"
