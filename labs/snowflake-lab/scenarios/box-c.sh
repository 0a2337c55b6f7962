# A work of art: no Dockerfile made this box. Carlos did, one evening, and left.
mkdir -p /srv/www/cgi-bin /home/carlos/lib
cat >/home/carlos/lib/letterhead <<END
Hotel Aurora, VAT $PARAM_VAT_ID
END
cat >/srv/www/cgi-bin/invoice <<'END'
#!/bin/sh
printf 'Content-Type: text/plain\r\n\r\n'
cat /home/carlos/lib/letterhead
echo "invoice for ${QUERY_STRING#guest=}"
END
cat >/srv/www/cgi-bin/quote <<'END'
#!/bin/sh
printf 'Status: 503 Service Unavailable\r\nContent-Type: text/plain\r\n\r\n'
echo 'this box writes invoices. ask another one for prices'
END
cat >/home/carlos/NOTES <<'END'
invoices: www/cgi-bin/invoice, and it needs lib/letterhead.
the address for them is /cgi-bin/invoice?guest=NAME
accounting asks until this box answers, so do NOT restart it. -- carlos
END
home=${HOME:-/root}
mkdir -p "$home"
cat >"$home/.ash_history" <<'END'
mkdir -p /srv/www/cgi-bin /home/carlos/lib
vi /home/carlos/lib/letterhead
vi /srv/www/cgi-bin/invoice
chmod 755 /srv/www/cgi-bin/*
wget -qO- 'http://127.0.0.1:8080/cgi-bin/invoice?guest=test'
vi /home/carlos/NOTES
exit
END
printf '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\nok\\n"\n' >/srv/www/cgi-bin/health
chmod 755 /srv/www/cgi-bin/*
