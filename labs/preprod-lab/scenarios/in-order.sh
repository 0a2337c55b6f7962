# One image, through dev and preprod to prod.
image=$(docker build --quiet .)
docker rm --force "$BOOKING_DEV"
docker run --detach $BOOKING_DEV_RUN "$image"
docker rm --force "$BOOKING_PREPROD"
docker run --detach $BOOKING_PREPROD_RUN "$image"
docker rm --force "$BOOKING_PROD"
docker run --detach $BOOKING_PROD_RUN "$image"
