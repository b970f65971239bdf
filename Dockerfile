# docker build -t harpagon . && docker run --rm -v "$PWD:/work" harpagon plan instance.yaml
FROM python:3.11-slim
COPY . /src
RUN pip install --no-cache-dir /src && rm -rf /src
WORKDIR /work
ENTRYPOINT ["harpagon"]
