# The images of docker-compose.yml, and for production: `gateway` (the default) and `resource-api`.
# No production image holds the local tenant, the launcher, tests, pip or a compiler.
# It builds with the classic builder as well as with BuildKit.

# By its digest, so that nobody can put another image in its place; `python -m supply_chain images --renew` renews it.
# Where there is no such image to be had: docker build --build-arg PYTHON_IMAGE=python:3.13-slim
ARG PYTHON_IMAGE=python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b

FROM ${PYTHON_IMAGE} AS packages
COPY requirements.lock /build/requirements.lock
# The environment gets no pip of its own; the builder's pip fills it from the outside.
RUN python -m venv --without-pip /opt/stepup \
 && python -m pip --python /opt/stepup/bin/python install --no-cache-dir --disable-pip-version-check \
      --no-deps --require-hashes --only-binary :all: --requirement /build/requirements.lock \
 && /opt/stepup/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/stepup/lib


FROM ${PYTHON_IMAGE} AS runtime
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3.*/site-packages/pip* /usr/local/lib/python3.*/ensurepip
# Python's own modules come without bytecode, and nobody may write any here: each start would compile what it imports.
# `unchecked-hash`: nothing in an image changes, so nothing is compared with its source.
RUN python -m compileall -q --invalidation-mode unchecked-hash \
      -x '/(site-packages|test|idlelib|lib2to3|tkinter|turtledemo)/' /usr/local/lib/python3.*
COPY --from=packages /opt/stepup /opt/stepup
ENV PATH=/opt/stepup/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY LICENSE ./
# A number, so that an orchestrator can tell that it is not root. Nothing in the image belongs to it.
USER 10001:10001


# Entra External ID on a laptop: for local work only, see docs/reference/local-tenant.md.
FROM runtime AS local-tenant
COPY local_tenant/ local_tenant/
USER root
RUN python -m compileall -q --invalidation-mode unchecked-hash local_tenant
USER 10001:10001
EXPOSE 8400
CMD ["python", "-m", "local_tenant"]


# Makes the secrets of `docker compose up` once, into volumes that belong to the services' user.
FROM runtime AS local-secrets
COPY devstack/ devstack/
USER root
RUN python -m compileall -q --invalidation-mode unchecked-hash devstack \
 && mkdir -m 0700 /volumes /volumes/gateway /volumes/resource-api /volumes/redis /volumes/redis-data \
 && chown -R 10001:10001 /volumes
USER 10001:10001
CMD ["python", "-m", "devstack.container_secrets", "/volumes"]


FROM runtime AS resource-api
COPY servicekit/ servicekit/
COPY resource_api/ resource_api/
USER root
RUN python -m compileall -q --invalidation-mode unchecked-hash servicekit resource_api
USER 10001:10001
EXPOSE 3001
CMD ["python", "-m", "resource_api"]


FROM runtime AS gateway
COPY servicekit/ servicekit/
COPY spa/ spa/
COPY gateway/ gateway/
USER root
RUN python -m compileall -q --invalidation-mode unchecked-hash servicekit gateway
USER 10001:10001
EXPOSE 3000
CMD ["python", "-m", "gateway"]
