"""Prompts that are not in English: known words become English ones, and pictographs become their names.

Only words are exchanged, and in the languages below only those that pictures are mostly asked for with. What is not
known stays as it is, and may still be drawn as a thing of its own name.
"""

import re
import unicodedata

from turnwise.models.drawing.words.vocabulary import NOUNS

CHINESE = (
    "红=red 红色=red 紅=red 紅色=red 蓝=blue 蓝色=blue 藍=blue 藍色=blue 绿=green 绿色=green "
    "綠=green 綠色=green 黄=yellow 黄色=yellow 黃=yellow 黃色=yellow 白=white 白色=white "
    "黑=black 黑色=black 紫=purple 紫色=purple 橙=orange 橙色=orange 粉=pink 粉色=pink 粉红色=pink "
    "粉紅色=pink 灰=grey 灰色=grey 棕色=brown 金色=golden 银色=silver 銀色=silver "
    "黑白=black-and-white 太阳=sun 太陽=sun 月亮=moon 月=moon 星星=stars 星=star 云=cloud "
    "雲=cloud 彩虹=rainbow 山=mountain 火山=volcano 树=tree 樹=tree 松树=pine 棕榈=palm "
    "花=flower 玫瑰=rose 向日葵=sunflower 草地=meadow 草原=meadow 草=grass 森林=forest 海=sea "
    "大海=sea 海洋=ocean 海滩=beach 海灘=beach 沙滩=beach 沙灘=beach 河=river 湖=lake 沙漠=desert "
    "城市=city 街道=street 路=road 桥=bridge 橋=bridge 房子=house 房屋=house 小屋=cabin "
    "城堡=castle 塔=tower 灯塔=lighthouse 燈塔=lighthouse 高楼=skyscraper 大楼=building 汽车=car "
    "汽車=car 车=car 車=car 飞行汽车=flying car 公交车=bus 火车=train 火車=train 自行车=bicycle "
    "腳踏車=bicycle 飞机=plane 飛機=plane 火箭=rocket 船=boat 帆船=sailboat 气球=balloon "
    "氣球=balloon 热气球=hot air balloon 熱氣球=hot air balloon 宇航员=astronaut 太空人=astronaut "
    "机器人=robot 機器人=robot 人=person 男人=man 女人=woman 孩子=child 女孩=girl 男孩=boy "
    "公主=princess 骑士=knight 猫=cat 貓=cat 小猫=kitten 小貓=kitten 狗=dog 小狗=puppy 鸟=bird "
    "鳥=bird 鱼=fish 魚=fish 马=horse 馬=horse 牛=cow 羊=sheep 猪=pig 豬=pig 兔子=rabbit "
    "熊=bear 熊猫=panda 熊貓=panda 老虎=tiger 狮子=lion 獅子=lion 大象=elephant 猴子=monkey "
    "企鹅=penguin 企鵝=penguin 狐狸=fox 蝴蝶=butterfly 蜜蜂=bee 龙=dragon 龍=dragon 恐龙=dinosaur "
    "恐龍=dinosaur 鲸鱼=whale 鯨魚=whale 海豚=dolphin 苹果=apple 蘋果=apple 香蕉=banana 橙子=orange "
    "西瓜=watermelon 草莓=strawberry 蛋糕=cake 咖啡=coffee 茶=tea 披萨=pizza 面包=bread 书=book "
    "書=book 电脑=laptop 電腦=laptop 手机=phone 手機=phone 桌子=table 椅子=chair 床=bed 窗=window "
    "门=door 門=door 灯=lamp 燈=lamp 钟=clock 鐘=clock 心=heart 爱心=heart 旗=flag 礼物=gift "
    "禮物=gift 雨伞=umbrella 雨傘=umbrella 吉他=guitar 球=ball 圆=circle 圓=circle 圆形=circle "
    "圓形=circle 三角形=triangle 正方形=square 方形=square 天空=sky 雪人=snowman 雪=snow 雨=rain "
    "夜晚=night 夜=night 日落=sunset 日出=sunrise 早晨=morning 春天=spring 夏天=summer 秋天=autumn "
    "冬天=winter 未来=futuristic 未來=futuristic 太空=space 宇宙=space 星球=planet 地球=earth "
    "水下=underwater 花园=garden 花園=garden 公园=park 公園=park 房间=room 房間=room "
    "背景=background 大=big 小=small 巨大=huge 一=one 两=two 兩=two 二=two 三=three 四=four "
    "五=five 六=six 七=seven 八=eight 九=nine 十=ten 许多=many 許多=many 和=and 的= 上=on "
    "下=under 旁边=beside 旁邊=beside 前面=in_front_of 后面=behind 後面=behind 左边=left 左邊=left "
    "右边=right 右邊=right 中间=middle 中間=middle 只= 个= 個= 隻= 朵= 棵= 座= 辆= 輛= 张= 張= 画=draw "
    "畫=draw 生成=generate 图片=image 圖片=image 图像=image 圖像=image 一幅=an 一张=an 一張=an 一座=an "
    "一只=a 一隻=a 一个=a 一個=a 一辆=a 一輛=a 有=with 里=in 裡=in 在= "
)

EUROPEAN = (
    # German
    "rot=red rote=red roter=red rotes=red roten=red blau=blue blaue=blue "
    "blauer=blue blaues=blue blauen=blue grün=green grüne=green grünen=green "
    "grüner=green gelb=yellow gelbe=yellow gelber=yellow gelben=yellow "
    "schwarz=black schwarze=black schwarzer=black schwarzen=black weiß=white "
    "weiße=white weißer=white weißen=white sonne=sun mond=moon sterne=stars "
    "wolke=cloud wolken=clouds berg=mountain berge=mountains baum=tree bäume=trees "
    "blume=flower blumen=flowers wiese=meadow wald=forest meer=sea strand=beach "
    "haus=house häuser=houses schloss=castle burg=castle stadt=city straße=street "
    "brücke=bridge auto=car zug=train fahrrad=bicycle flugzeug=plane rakete=rocket "
    "schiff=ship boot=boat segelboot=sailboat katze=cat katzen=cats hund=dog "
    "hunde=dogs vogel=bird vögel=birds fisch=fish pferd=horse kuh=cow schaf=sheep "
    "drache=dragon schmetterling=butterfly apfel=apple äpfel=apples kuchen=cake "
    "kaffee=coffee buch=book tisch=table stuhl=chair herz=heart ballon=balloon "
    "ballons=balloons luftballons=balloons kreis=circle dreieck=triangle "
    "quadrat=square himmel=sky nacht=night sonnenuntergang=sunset schnee=snow "
    "regen=rain mann=man frau=woman kind=child roboter=robot großer=big große=big "
    "großes=big kleiner=small kleine=small kleines=small zwei=two drei=three "
    "vier=four fünf=five ein=a eine=a einen=a einer=a einem=a mit=with und=and "
    "auf=on unter=under neben=beside hinter=behind vor=in_front_of über=above im=in "
    "zeichne=draw male=draw bild=image "
    # French
    "rouge=red rouges=red bleu=blue bleue=blue bleus=blue vert=green verte=green "
    "verts=green jaune=yellow jaunes=yellow noir=black noire=black blanc=white "
    "blanche=white soleil=sun lune=moon étoile=star étoiles=stars nuage=cloud "
    "nuages=clouds montagne=mountain montagnes=mountains arbre=tree arbres=trees "
    "fleur=flower fleurs=flowers forêt=forest mer=sea plage=beach maison=house "
    "château=castle ville=city rue=street pont=bridge voiture=car vélo=bicycle "
    "avion=plane fusée=rocket bateau=boat chat=cat chats=cats chien=dog oiseau=bird "
    "oiseaux=birds poisson=fish cheval=horse papillon=butterfly pomme=apple "
    "gâteau=cake livre=book cœur=heart coeur=heart ciel=sky nuit=night neige=snow "
    "pluie=rain homme=man femme=woman enfant=child grand=big grande=big petit=small "
    "petite=small deux=two trois=three quatre=four cinq=five un=a une=a le=the "
    "la=the les=the des=some avec=with et=and sur=on sous=under devant=in_front_of "
    "derrière=behind dans=in dessine=draw cercle=circle "
    # Spanish
    "rojo=red roja=red rojos=red rojas=red azul=blue azules=blue verde=green "
    "verdes=green amarillo=yellow amarilla=yellow amarillos=yellow negro=black "
    "negra=black blanco=white blanca=white sol=sun luna=moon estrella=star "
    "estrellas=stars nube=cloud montaña=mountain montañas=mountains árbol=tree "
    "árboles=trees flor=flower flores=flowers bosque=forest playa=beach casa=house "
    "castillo=castle ciudad=city calle=street puente=bridge coche=car carro=car "
    "tren=train bicicleta=bicycle avión=plane cohete=rocket barco=boat gato=cat "
    "gatos=cats perro=dog pájaro=bird pez=fish caballo=horse mariposa=butterfly "
    "manzana=apple libro=book corazón=heart globo=balloon globos=balloons cielo=sky "
    "noche=night nieve=snow lluvia=rain hombre=man mujer=woman niño=child niña=girl "
    "pequeño=small pequeña=small dos=two tres=three cuatro=four cinco=five uno=a "
    "una=a el=the los=the las=the con=with y=and sobre=on bajo=under junto=beside "
    "detrás=behind en=in dibuja=draw círculo=circle "
)


def _table(pairs: str) -> dict[str, str]:
    return {word: meaning.replace("_", " ") for word, meaning in (pair.split("=") for pair in pairs.split())}


def _lines(table: str) -> dict[str, str]:
    """A table whose meanings may have spaces: a meaning goes on until the next word with a `=`."""
    return {word: meaning.strip() for word, meaning in re.findall(r"(\S+?)=([^=]*?)(?=\s+\S+=|\s*$)", table)}


_CHINESE = _lines(CHINESE)
_EUROPEAN = _table(EUROPEAN)
_HAN = re.compile("|".join(sorted(map(re.escape, _CHINESE), key=len, reverse=True)))
_WORD = re.compile(r"[^\W\d_]+")
_ENGLISH = re.compile(r"\b(?:the|of|with|and|draw|generate|create|is|an|on|picture|image)\b", re.IGNORECASE)


def in_english(text: str) -> str:
    """The text with every word in English that is known."""
    text = _without_pictographs(text)
    text = _HAN.sub(lambda found: _apart(_CHINESE[found.group()]), text)
    words = [word.lower() for word in _WORD.findall(text)]
    foreign = sum(word in _EUROPEAN for word in words)
    if foreign < 2 or _ENGLISH.search(text):
        return text
    return _WORD.sub(lambda found: _EUROPEAN.get(found.group().lower(), found.group()), text)


def _apart(meaning: str) -> str:
    """A word where none is divided from the next: one noun does not describe the one behind it."""
    return f" {meaning} and " if meaning in NOUNS else f" {meaning} "


def _without_pictographs(text: str) -> str:
    """Emoji as their names: a cat's face is `cat face`."""
    return "".join(f" {_name(character)}, " if _is_pictograph(character) else character for character in text)


def _is_pictograph(character: str) -> bool:
    return unicodedata.category(character) == "So" and ord(character) > 0x2000


def _name(character: str) -> str:
    name = unicodedata.name(character, "symbol").lower()
    if name.endswith("face") and name.split()[0] not in NOUNS:
        return "smiley"
    return re.sub(r"\b(?:face|with|heavy|black|white|smiling|symbol|sign|emoji|eyes?|rays)\b", "", name)
