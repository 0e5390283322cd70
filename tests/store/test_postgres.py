def test_x(postgres_url, postgres_server):
    print(postgres_url)
    print(postgres_server.execute(r"\d runs", postgres_url.split("/")[3].split("?")[0]))
    print(postgres_server.execute(r"\dt", postgres_url.split("/")[3].split("?")[0]))
    print(postgres_server.execute(r"\d chunk_words", postgres_url.split("/")[3].split("?")[0]))
    postgres_server.restart()


def test_y(postgres_url):
    pass


def test_z(postgres_url):
    pass
