FROM python:3.11-slim-bookworm AS build
WORKDIR /src
RUN python -m venv --without-pip /venv
COPY requirements-build.lock requirements-runtime.lock ./
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements-build.lock \
 && pip --python /venv/bin/python install --no-cache-dir --require-hashes --no-deps -r requirements-runtime.lock
COPY pyproject.toml README.md LICENSE ./
COPY engine engine
COPY rules rules
COPY templates templates
RUN pip wheel --no-cache-dir --no-build-isolation --no-deps --wheel-dir /wheel . \
 && pip --python /venv/bin/python install --no-cache-dir --no-index --no-deps /wheel/*.whl

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --home-dir /app --create-home --shell /usr/sbin/nologin postroom \
 && install --directory --owner=postroom --mode=700 /app/data
COPY --from=build /venv /venv
COPY rules /app/rules
COPY templates /app/templates
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /app
USER 10001
VOLUME /app/data
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s \
  CMD ["python", "-c", "import httpx; httpx.get('http://127.0.0.1:8080/healthz', timeout=4).raise_for_status()"]
ENTRYPOINT ["postroom"]
CMD ["--help"]
