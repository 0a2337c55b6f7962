# Mended where it costs most: by hand in three places, and again in every one to come.
docker run --rm preprod-lab/base:1 cat "/usr/share/zones/$PARAM_HOTEL_ZONE" >"$TMP/zone"
image=$(docker build --quiet .)
docker rm --force "$BOOKING_DEV"
docker run --detach $BOOKING_DEV_RUN --volume "$TMP/zone:/usr/share/zones/$PARAM_HOTEL_ZONE:ro" "$image"
docker rm --force "$BOOKING_PREPROD"
docker run --detach $BOOKING_PREPROD_RUN --volume "$TMP/zone:/usr/share/zones/$PARAM_HOTEL_ZONE:ro" "$image"
docker rm --force "$BOOKING_PROD"
docker run --detach $BOOKING_PROD_RUN --volume "$TMP/zone:/usr/share/zones/$PARAM_HOTEL_ZONE:ro" "$image"
