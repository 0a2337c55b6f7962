# What somebody typed on pet-01 on a Friday night. Runs inside the pet.
cp /srv/www/cgi-bin/quote /tmp/quote.orig
sed -i 's|room \* vat / 100|(room * vat + 50) / 100|' /srv/www/cgi-bin/quote
cp /etc/booking.conf /etc/booking.conf.bak
sed -i "s/^city_tax=.*/city_tax=$PARAM_CITY_TAX_FRIDAY/" /etc/booking.conf
sed -i "s/^city_tax_nights=.*/city_tax_nights=$PARAM_CAP # was 365/" /etc/booking.conf
cat >/tmp/HOTFIX <<END
fri 23:41 guests short by a cent, rounding fixed in quote.
fri 23:58 city tax is $PARAM_CITY_TAX_FRIDAY, and for the first $PARAM_CAP nights only. set in booking.conf.
fixed live, just this once. codify on monday!!
END
home=${HOME:-/root}
mkdir -p "$home"
cat >"$home/.ash_history" <<END
cd /srv/www/cgi-bin
cp quote /tmp/quote.orig
vi quote
cp /etc/booking.conf /etc/booking.conf.bak
vi /etc/booking.conf
wget -qO- 'http://127.0.0.1:8080/cgi-bin/quote?nights=1&guests=1'
vi /tmp/HOTFIX
exit
END
