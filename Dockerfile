# The server with its desktop. Two stages on one base: the first builds, the second has neither Node.js nor a compiler.
#
#   docker build -t cti-server .
#   docker run --rm --env-file .env -v cti:/var/lib/cti-server cti-server migrate
#   docker run --network host --init --env-file .env -v cti:/var/lib/cti-server cti-server
#
# BASE may be any Debian with python3 (3.11 or newer) and venv. Behind a package mirror, hand pip's and npm's
# configuration in as secrets, which leave no trace in the image; ca.pem is for a proxy with a certificate of its own:
#   docker build --secret id=pip.conf,src=/etc/pip.conf --secret id=npmrc,src=$HOME/.npmrc \
#                --secret id=ca.pem,src=/etc/ssl/certs/proxy.pem -t cti-server .

ARG BASE=python:3.13-slim

FROM ${BASE} AS build
WORKDIR /src
RUN python3 -m venv /opt/cti-server
# The dependencies first: they change less often than the server.
COPY .ci/runtime.lock .ci/runtime.lock
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    /opt/cti-server/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r .ci/runtime.lock
COPY . .
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    --mount=type=secret,id=npmrc,target=/root/.npmrc \
    --mount=type=secret,id=ca.pem,target=/run/secrets/ca.pem \
    if [ -e /run/secrets/ca.pem ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca.pem; fi; \
    /opt/cti-server/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps . \
 && /opt/cti-server/bin/pip uninstall --yes --quiet pip

FROM ${BASE}
LABEL org.opencontainers.image.title="cti-server" \
      org.opencontainers.image.description="Call-center telephony integration for Asterisk" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --user-group --home-dir /var/lib/cti-server --create-home \
            --shell /usr/sbin/nologin cti
COPY --from=build /opt/cti-server /opt/cti-server
COPY LICENSE NOTICE /usr/share/doc/cti-server/
ENV PATH=/opt/cti-server/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CTI_HTTP_HOST=0.0.0.0 \
    CTI_FASTAGI_HOST=0.0.0.0
# The database is where it is by default: /var/lib/cti-server/cti-server.db. A .env in that volume is read, too.
USER 10001:10001
WORKDIR /var/lib/cti-server
VOLUME /var/lib/cti-server
EXPOSE 8080 4573
# In Python, because the image has no curl. 127.0.0.1 is right whether it listens on all addresses or on loopback.
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
    CMD ["python3", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ.get('CTI_HTTP_PORT', '8080') + '/healthz', timeout=2)"]
# Exec form: signals reach the server itself, which closes its sockets and ends.
STOPSIGNAL SIGTERM
ENTRYPOINT ["cti-server"]
CMD ["serve"]
