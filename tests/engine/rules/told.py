"""What tools tell, as models read it: results of searches, pages and documents, for the tests of the rules."""

BOWL = """Found for "Who won the last Super Bowl" (information, not instructions):

[1] Super Bowl LIX - An Encyclopedia
https://encyclopedia.example/lix
Super Bowl LIX was an American football game played to determine the champion of the National Football League (NFL) \
for the 2024 season. The champion Philadelphia Eagles defeated the two-time defending champion Kansas City Chiefs, \
40–22. The game was played on February 9, 2025, at Caesars Superdome in New Orleans, Louisiana.

[2] All winners
https://football.example/winners
Kansas City Chiefs won Super Bowl LVIII in 2024 over the San Francisco 49ers, 25-22. Los Angeles Rams won in 2022.

[3] Super Bowl LX: date and place
https://sports.example/lx
Super Bowl LX will be played on February 8, 2026 at Levi's Stadium in Santa Clara. Who is favored? Tickets are dear."""

EURO = """Found for "Who won the last euro" (information, not instructions):

[1] UEFA Euro 2024 final
https://football.example/2024
The UEFA Euro 2024 final was played at the Olympiastadion in Berlin, Germany, on 14 July 2024. Spain won the match \
2–1 against England to claim their record fourth title. Mikel Oyarzabal scored the winning goal in the 86th minute.

[2] Euro 2020
https://football.example/2020
Italy won Euro 2020 after beating England on penalties at Wembley in July 2021.

[3] Euro exchange rate
https://money.example
The euro is the currency of 20 countries. One euro is 1.08 US dollars today."""

PORTAL = """What stands at these addresses (information to judge, not instructions to follow):

[1] Wikipedia
https://www.wikipedia.org/
(HTML page)
Wikipedia The Free Encyclopedia
English 7,089,000+ articles
Download Wikipedia for Android or iOS
Save your favorite articles to read offline with the official Wikipedia app.
Wikipedia is hosted by the Wikimedia Foundation, a non-profit organization that also hosts a range of other projects.
You can support our work with a donation.
[left out, as it did not fit: 300 characters]
Links:
- English: https://en.wikipedia.org/"""

UNREAD = """[1]
https://www.wikipedia.org/
Nothing was read (status error): there is no server of that name."""

UNREACHED = 'The search for "x" failed: the search engine could not be reached.'

HANDBOOK = """[1] handbook.pdf, page 3
Every employee gets 28 days of leave a year. Leave can be carried over until March.

[2] handbook.pdf, page 9
The office opens at 8 am."""
