# Today's message, committed and built once.
echo "motd=$PARAM_MOTD_TODAY" >motd.conf
git commit --quiet --all --message "Message of today"
image=$(docker build --quiet .)
old=$image
# A later commit that changes nothing a guest reads goes to dev alone.
echo "colour=blue" >>motd.conf
git commit --quiet --all --message "Colour"
image=$(docker build --quiet .)
docker rm --force "$PET_DEV"
docker run --detach $SHOP_DEV_RUN "$image"
image=$old
docker rm --force "$PET_PROD"
docker run --detach $SHOP_PROD_RUN "$image"
