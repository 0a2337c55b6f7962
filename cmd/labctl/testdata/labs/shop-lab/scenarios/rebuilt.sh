echo price=2 >answers/price
git commit --quiet --all --message "The new price"
image=$(docker build --quiet .)
docker rm --force "$PET_01"
docker run --detach --name "$INSTANCE-shop-1" $SHOP_RUN "$image"
