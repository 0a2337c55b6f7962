# Everything is made ready for the new base, and the base is still the old one.
mkdir -p zones/Europe
docker run --rm preprod-lab/base:1 cat "/usr/share/zones/$PARAM_HOTEL_ZONE" >"zones/$PARAM_HOTEL_ZONE"
sed -i '/^FROM/a COPY zones /usr/share/zones' Dockerfile
git add --all
git commit --quiet --message "Time zones are ours to bring"
