# Seen to behave in preprod, then promoted.
echo price=2 >answers/price
git commit --quiet --all --message "Price"
image=$(docker build --quiet --tag "$INSTANCE:2" .)
docker rm --force "$PET_PREPROD"
docker run --detach $SHOP_PREPROD_RUN "$image"
labctl check || true
docker rm --force "$PET_PROD"
docker run --detach $SHOP_PROD_RUN "$image"
labctl check # passes, and is nobody's progress
