# Today's message, committed and built once.
echo "motd=$PARAM_MOTD_TODAY" >motd.conf
git commit --quiet --all --message "Message of today"
image=$(docker build --quiet .)
docker rm --force "$PET_DEV"
docker run --detach $SHOP_DEV_RUN "$image"
# Prod is started like prod, but with dev's value.
docker rm --force "$PET_PROD"
docker run --detach $SHOP_PROD_RUN --env TIER=try "$image"
