# The new base, and what it no longer brings, in one commit.
mkdir -p zones/Europe
docker run --rm preprod-lab/base:1 cat "/usr/share/zones/$PARAM_HOTEL_ZONE" >"zones/$PARAM_HOTEL_ZONE"
sed -i 's|^FROM .*|FROM preprod-lab/base:2\nCOPY zones /usr/share/zones|' Dockerfile
git add --all
git commit --quiet --message "Base 2, which leaves time zones to us"
