# Developers keep the old base, "until things have settled".
image=$(docker build --quiet .)
docker rm --force "$BOOKING_PREPROD"
docker run --detach $BOOKING_PREPROD_RUN "$image"
docker rm --force "$BOOKING_PROD"
docker run --detach $BOOKING_PROD_RUN "$image"
