"""Words: how two English words are told to mean the same. Stems, everyday groups of meaning, and words without one.

This is what is known of English in general; of the tools of any application nothing is known here. It is small on
purpose: where it does not reach, a tool is still found by the words of its own name and description.
"""

import re
from functools import cache


def listed(text: str) -> tuple[str, ...]:
    """The words of a list that is written as text."""
    return tuple(text.split())


_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*|\d[\d.,]*")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_\-./\s]+")
_ENDINGS = (
    ("ational", "ate"), ("ations", "ate"), ("ation", "ate"), ("iveness", "ive"), ("ies", "y"), ("ied", "y"),
    ("ments", ""), ("ment", ""), ("nesses", ""), ("ness", ""), ("ings", ""), ("ing", ""), ("ors", ""), ("or", ""),
    ("ers", ""), ("er", ""), ("eds", ""), ("ed", ""), ("ly", ""), ("es", ""), ("s", ""), ("e", ""),
)  # fmt: skip

GROUPS = """
weather forecast rain rainy raining snow snowing sunny sun cloudy storm wind windy umbrella humid humidity
weather temperature hot cold warm chilly degrees outside jacket coat
schedule book arrange plan organize organise set reserve
meeting appointment event call conference sync standup session discuss catch-up chat
calendar event agenda appointment schedule plan planned busy
email mail e-mail inbox
message text sms dm whatsapp tell
call phone ring dial
timer countdown
alarm wake
remind reminder
currency money exchange dollar euro pound yen usd eur gbp franc rupee
flight fly plane airline airfare
light lamp bulb lighting
device appliance fan lamp light heater oven tv machine plug
light lamp dim brighten bright brightness
stock share ticker trading trade equity nasdaq
translate translation say language interpret
music song play track album artist listen tune playlist jazz rock pop classical blues reggae techno hip-hop folk metal
movie film cinema showtime showing playing screening
todo to-do task chore
note jot memo write
pizza food delivery order deliver
food dish meal rice burger burrito taco pasta noodle noodles salad soup sandwich
food sushi curry steak fries chicken dumpling pancake cake bread
restaurant table dinner lunch breakfast brunch dine eat eating reservation
restaurant cuisine sushi pizza tapas ramen diner bistro
tip gratuity
bill check receipt
recipe cook dish meal ingredient bake make
thermostat heating heat temperature degrees warm warmer cool cooler hvac ac
package parcel shipment shipping tracking delivery courier
order purchase
track trace follow locate where
directions route navigate navigation way drive walk get
distance far long mile kilometer
hotel room accommodation stay lodging hostel
indoor inside indoors
outdoor outside outdoors terrace patio garden
apartment flat house rent rental property
car vehicle
taxi ride cab uber
train rail railway station
bus transit coach
news headline
dictionary define definition meaning mean
synonym thesaurus
lock unlock secure
door gate
blind blinds shade shades curtain curtains shutter
vacuum hoover clean cleaner sweep
volume speaker loud louder sound quiet quieter mute
tv television channel
time clock hour
timezone zone
score match game result win won lose lost beat
team club
sport football soccer basketball baseball
doctor dr physician dentist clinic medical
medicine medication prescription drug pill
workout exercise training gym fitness run swim running cycling jog
calorie calories nutrition nutritional
weight weigh
air pollution smog breathe aqi
mortgage loan
payment pay installment
interest rate
transfer send wire pay
account balance bank
invoice bill
refund return reimburse reimbursement money-back moneyback
cancel stop end terminate unsubscribe
subscription subscribe membership plan
product item buy shop shopping
cart basket
price cost much worth
ticket issue support problem bug
password passcode passphrase
random generate
post publish share tweet status
photo picture image
camera snapshot
draw image picture paint generate
file document folder
rename name
delete remove erase clear
update change edit modify
upload attach
search find look lookup seek
place nearby near around close
assign delegate give
joke funny
calculate compute math sum calculator evaluate solve
convert conversion exchange change
unit units measurement
contact address-book
job position vacancy opening
school course class lesson
student pupil
employee staff worker
customer client
database sql query
website page url link site
web internet online google
summary summarize summarise
wiki wikipedia encyclopedia
holiday vacation leave
traffic congestion
parking park
fuel gas petrol
sunrise sunset
earthquake quake
plant garden water watering irrigation sprinkler
fan ventilator
coffee espresso latte brew
charge charging battery
museum exhibition
concert gig show
event concert festival
ticket tickets
library borrow loan
book novel
podcast episode
video clip youtube
donate donation charity
vote poll survey
review rating star
coupon discount voucher
stock inventory availability available
hire recruit
salary wage pay
tax taxes
insurance policy
feedback complaint
weather climate
color colour
driving drive car
walking walk foot
cycling cycle bike bicycle
transit bus train subway metro public
open opening
close shut closing lower
start begin launch run
pause stop halt
on enable activate
off disable deactivate kill shut
high urgent important critical
urgent asap immediately emergency
low minor unimportant
large big
small little
vegetarian veggie
celsius centigrade metric
fahrenheit imperial
price cheap cheapest cheaper affordable inexpensive expensive priciest
sort order rank arrange
group aggregate
asc ascending cheapest lowest ascend
desc descending priciest highest descend
relevance relevant best
electronics electronic headphones laptop phone
status state progress
latest newest recent current
biggest largest
user member person
translate spanish french german italian japanese chinese
horoscope zodiac
lunar moon
crypto bitcoin cryptocurrency ethereum
"""
"""A line is a group of words that people use for the same thing. A word may be in several."""

DEEDS = """
create make add open file raise log start new set-up generate build draft compose register
log record track note write put-down jot add save enter
delete remove erase clear drop get-rid-of discard wipe throw-away
cancel call-off abort revoke end stop terminate drop
update change edit modify adjust set alter reschedule move switch correct fix
send post message tell notify share publish mail forward deliver email text let-know
select get fetch pick choose find
search find look-up look-for browse show list get see
get show tell check fetch retrieve look-up give lookup read display view see
list show get display view see
book reserve schedule arrange make get set-up plan
play put-on listen hear queue throw-on
buy order purchase get
sell trade
transfer move send pay shift wire
pay settle transfer send
restart reboot bounce reset
run execute launch start trigger kick-off
convert change turn translate exchange
mute silence quiet hush
set adjust change put make turn crank raise lower
start begin launch turn-on kick-off run
stop end halt turn-off shut-down
pause stop hold
roll throw toss cast flip
request ask apply submit file take
compute calculate work-out figure-out determine
assign give allocate delegate hand
invite add ask
schedule set-up plan arrange book put organize
track follow trace
turn switch toggle flip kill
close resolve finish complete mark
complete finish mark check-off tick-off
water irrigate sprinkle
rate review score
approve accept confirm
reject decline deny refuse
enable activate turn-on switch-on
disable deactivate turn-off switch-off
upload attach add put
download fetch get pull save
call ring phone dial
remind ping
translate say put
rename call change
recommend suggest find
subscribe sign-up join register enroll
unsubscribe leave cancel opt-out
"""
"""A line is a group of verbs that people use for the same deed. What two of them share is a sign, and no more."""

_PHRASAL = re.compile(
    r"(?i)\b(put|look|set|get|throw|let|kick|turn|shut|work|figure|check|tick|switch|sign|opt|call|jot)"
    r"((?: \w+){0,2}?) (on|up|for|rid of|away|know|off|down|out)\b"
)

FILLERS = frozenset(
    listed(
        """a an the this that these those my our your his her its their some any me us you i we he she it they them
        him please pls kindly just also too then now so and or but if of to in on at for from with by
        about as into is are was were be been am do does did have has had will would can could should
        shall may might must let let's lets i'd i'm i'll i've want need like hey hi hello ok okay well
        there here what what's which who who's whose when where how why not no yes up down out over
        under via using new one ones really quickly quick right go ahead thing things something get
        given specified several e.g e.g. i.e name named called user user's users value between another
        whether"""
    )
)
"""Words that say little by themselves."""

GENERIC_VERBS = frozenset(
    listed(
        """get set find search create add make look show check list update give fetch retrieve lookup tell put send
        return read start run do use open turn switch calculate compute convert save book order control
        manage query request perform execute provide handle post change view go take schedule reserve
        play enable disable toggle track delete compose write draft tell ring build generate define read
        remove cancel log record close stop generate submit"""
    )
)
"""Verbs that many functions begin with, and that therefore tell none from another."""

IRREGULAR = {
    "flew": "fly", "flown": "fly", "flies": "fly", "won": "win", "bought": "buy", "sent": "send", "paid": "pay",
    "labelled": "label", "cancelled": "cancel", "travelled": "travel", "modelled": "model",
    "woke": "wake", "lights": "light", "children": "child", "people": "person", "persons": "person", "feet": "foot",
    "colour": "color", "colours": "color", "ran": "run", "driven": "drive", "drove": "drive", "movies": "movie",
    "news": "news", "e-mail": "email", "emails": "email", "e-mails": "email", "todos": "todo", "to-do": "todo",
    "to-dos": "todo", "celsius": "celsius", "status": "status", "address": "address", "addresses": "address",
    "bus": "bus", "gas": "gas", "data": "data", "timer": "timer", "timers": "timer", "order": "order",
    "orders": "order", "number": "number", "numbers": "number", "weather": "weather", "paper": "paper",
    "dinner": "dinner", "letter": "letter", "letters": "letter", "color": "color", "colors": "color",
    "water": "water", "computer": "computer", "recipes": "recipe", "recipe": "recipe", "scores": "score",
    "text": "text", "during": "during", "morning": "morning", "evening": "evening", "meeting": "meeting",
    "meetings": "meeting", "something": "something", "building": "building", "door": "door", "doctor": "doctor",
    "user": "user", "center": "center", "counter": "counter", "offer": "offer", "paris": "paris",
}  # fmt: skip


@cache
def stem(word: str) -> str:
    """The word without its ending, so that `flights` is `flight` and `booking` is `book`."""
    word = word.lower().replace("’", "'").removesuffix("'s").strip("'.-")
    if word in IRREGULAR:
        return IRREGULAR[word].removesuffix("e") if len(IRREGULAR[word]) > 3 else IRREGULAR[word]
    if word.endswith("e") and len(word) > 3:
        return word[:-1]
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            rest = word.removesuffix(ending) + instead
            doubled = len(rest) > 3 and rest[-1] == rest[-2] and rest[-1] not in "lsz" and ending.startswith(("e", "i"))
            rest = rest[:-1] if doubled else rest
            return rest[:-1] if rest.endswith("e") and len(rest) > 3 else rest
    return word


def split_name(name: str) -> list[str]:
    """The words of an identifier: `get_weather`, `getWeather` and `calendar.create-event` alike."""
    return [part.lower() for part in _CAMEL.split(name) if part]


def words_of(text: str) -> list[str]:
    """The words of a text, in small letters."""
    return [word.lower().replace("’", "'") for word in _WORD.findall(text)]


def content_stems(text: str) -> list[str]:
    """The stems of the words that say something."""
    return [stem(word) for word in words_of(text) if word not in FILLERS]


@cache
def _groups() -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for number, line in enumerate(GROUPS.split("\n")):
        for word in line.split():
            found.setdefault(stem(word), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}


@cache
def groups(stemmed: str) -> frozenset[int]:
    """The groups of meaning that a stem belongs to."""
    return _groups().get(stemmed, frozenset())


def akin(one: str, other: str) -> bool:
    """Whether two stems are the same or share a meaning."""
    return one == other or bool(groups(one) & groups(other))


@cache
def _deeds() -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for number, line in enumerate(DEEDS.split("\n")):
        for verb in line.split():
            found.setdefault(verb, set()).add(number)
    return {verb: frozenset(numbers) for verb, numbers in found.items()}


def same_deed(one: str, other: str) -> bool:
    """Whether two verbs may stand for the same deed."""
    return bool(_deeds().get(one, frozenset()) & _deeds().get(other, frozenset()))


def is_verb(word: str) -> bool:
    """Whether a word is one of the verbs that requests begin with."""
    return word in _deeds() or word in GENERIC_VERBS


def verb_of(clause: str) -> str:
    """The verb that a clause begins with: `look-up` for "look up" as for "look it up"."""
    match = _PHRASAL.match(clause)
    if match:
        verb = f"{match.group(1)}-{match.group(3).replace(' ', '-')}".lower()
        if verb in _deeds():
            return verb
    first = re.match(r"[A-Za-z'-]+", clause)
    return first.group().lower() if first else ""
