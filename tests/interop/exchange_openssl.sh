#!/bin/sh
# Signs a request or verifies its signature with openssl, the signed text built by hand.
# Takes its parameters from the environment; prints the signature, or fails where it is wrong.
#
#   FORM METHOD TARGET   cavage or rfc9421, and the request line
#   FIELDS               a file of "Name: value" lines
#   COVERED              names of fields and components, in order
#   PARAMETERS           the value of @signature-params (rfc9421)
#   OPTIONS KEY          of openssl dgst, or "rawin" for Ed25519; the key's file
#   SIGNATURE            base64 to verify, or empty to sign
#   FOLDER               for files on the way
set -eu

field() {
    grep -i "^$1: " "$FIELDS" | sed 's/^[^:]*: //'
}

cavage_line() {
    case $1 in
    "(request-target)") printf '%s: %s %s\n' "$1" "$(printf %s "$METHOD" | tr '[:upper:]' '[:lower:]')" "$TARGET" ;;
    *) printf '%s: %s\n' "$1" "$(field "$1")" ;;
    esac
}

rfc9421_line() {
    case $1 in
    @method) value=$METHOD ;;
    @authority) value=$(field host) ;;
    @path) value=${TARGET%%\?*} ;;
    @query) value=\?${TARGET#*\?} ;;
    *) value=$(field "$1") ;;
    esac
    printf '"%s": %s\n' "$1" "$value"
}

text=$(
    for name in $COVERED; do "${FORM}_line" "$name"; done
    [ "$FORM" = cavage ] || printf '"@signature-params": %s\n' "$PARAMETERS"
)
printf %s "$text" >"$FOLDER/text"

if [ -n "$SIGNATURE" ]; then
    printf %s "$SIGNATURE" | openssl base64 -d -A >"$FOLDER/signature"
    if [ "$OPTIONS" = rawin ]; then
        openssl pkeyutl -verify -pubin -inkey "$KEY" -rawin -in "$FOLDER/text" -sigfile "$FOLDER/signature"
    else
        # shellcheck disable=SC2086
        openssl dgst $OPTIONS -verify "$KEY" -signature "$FOLDER/signature" "$FOLDER/text"
    fi
elif [ "$OPTIONS" = rawin ]; then
    openssl pkeyutl -sign -inkey "$KEY" -rawin -in "$FOLDER/text" | openssl base64 -A
else
    # shellcheck disable=SC2086
    openssl dgst $OPTIONS -sign "$KEY" "$FOLDER/text" | openssl base64 -A
fi
