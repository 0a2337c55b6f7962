# The new base, and nothing tried: health is green, and the clock is hours off.
sed -i 's|^FROM .*|FROM preprod-lab/base:2|' Dockerfile
git commit --quiet --all --message "Base 2"
