# Drift: a partner's discount, added on the box that the partner happened to test.
sed -i "s/^codes=.*/codes=\"$PARAM_CODE_NAME:$PARAM_CODE_PERCENT\"/" /etc/booking.conf
