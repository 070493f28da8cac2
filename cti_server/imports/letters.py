"""How well a text reads as names and addresses, in one of the languages that its encoding is for.

It tells right readings of bytes from wrong ones: `JÃ¼rgen`, `Éâàí` and `辫枚荐` are letters, but no names. Every
word is a piece of evidence, and it adds up, so that neither an odd name nor a lucky one decides for a file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

WESTERN: Final = tuple(
    frozenset(letters)
    for letters in (
        "äöüß",  # German
        "àâæçéèêëîïôœùûüÿ",  # French
        "áéíñóúüç",  # Spanish, Catalan in part
        "àçéèíïóòúü·",  # Catalan
        "áâãàçéêíóôõúü",  # Portuguese
        "àèéìíîòóùú",  # Italian
        "æøåéèêóòôäöü",  # Danish, Norwegian
        "åäöéàüšž",  # Swedish, Finnish
        "áéíóúëïöüèê",  # Dutch
        "áðéíóúýþæö",  # Icelandic
        "áéíóúàèìòù",  # Irish, Scottish
    )
)
CENTRAL: Final = tuple(
    frozenset(letters)
    for letters in (
        "äöüß",  # German
        "ąćęłńóśźż",  # Polish
        "áčďéěíňóřšťúůýž",  # Czech
        "áäčďéíĺľňóôŕšťúýž",  # Slovak
        "áéíóöőúüű",  # Hungarian
        "ăâîșțşţ",  # Romanian
        "čćđšž",  # Croatian, Slovene, Serbian
    )
)
TURKISH: Final = (frozenset("çğıİöşüâîû"), frozenset("äöüß"))
BALTIC: Final = (
    frozenset("ąčęėįšųūž"),  # Lithuanian
    frozenset("āčēģīķļņšūž"),  # Latvian
    frozenset("äõöüšž"),  # Estonian
    frozenset("äöüß"),  # German
)
KANA: Final = (frozenset(map(chr, range(0x3041, 0x3100))),)
PINYIN: Final = (frozenset("āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜüê"),)  # what GB2312 has of Latin letters
VIETNAMESE: Final = (
    frozenset(unicodedata.normalize("NFC", "ăâđêôơưàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ")),
)

# By script, the letters of which most words consist, and its vowels.
_ALPHABETS: Final = {
    "CYRILLIC": ("оеаинтсрвлкмдпуйьыяёіїєў", "аеёиоуыэюяіїєў"),
    "GREEK": ("αοιεησςντρπκυλμάόίέήύώ", "αεηιουωάέήίόύώϊϋΐΰ"),
}

# Hanzi of the commonest in print, in names of people and places and in those of companies; simplified, traditional
# and Japanese together. Of a right reading about 0.6 to 1.0 are among them, of a wrong one 0.0 to 0.2.
_HAN: Final = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然"
    "家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把"
    "机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果"
    "加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔"
    "更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展"
    "马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共"
    "确传师观清今切院让识候带导争运"
    "李王张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏"
    "钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文欧阳司马上官诸葛"
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅建国志文斌宇浩然子轩雨涵欣怡梓晨思佳琪婷颖雪倩莹璐慧"
    "俊鹏飞鑫波辉峰健亮海龙凯帅博翔宁春秋冬燕凤云琴淑珍珠翠萍莉莲凡帆晓昊天泽瑞祥福贵荣昌庆宝发财旺兴胜利永恒力生"
    "北京上海天津重庆广州深圳南京杭州成都武汉西安苏州长沙青岛大连厦门宁波无锡福州济南哈尔滨沈阳昆明合肥郑州石家庄"
    "东莞佛山温州浙江江苏山东河南河北湖北湖南四川云南贵州福建广东广西海南陕西甘肃辽宁吉林黑龙江内蒙古新疆西藏青海宁夏"
    "台湾香港澳门省市区县镇乡村路街号楼室层幢栋座院园城里弄巷"
    "有限公司科技贸易实业集团股份技术信息电子机械设备工程建筑材料化工医药食品服装物流运输广告文化传媒教育咨询投资管理"
    "服务商务网络软件系统数据通讯通信移动联通电信银行保险证券基金酒店餐饮旅游房地产物业汽车零部件五金塑料橡胶纺织印刷"
    "包装环保能源电力石油煤炭钢铁有色精密仪器光电半导体器材制造加工厂店部所中心研究设计院学校医院总经理先生女士小姐"
    "重要客户请致歉备注姓名编号手机等级合同开始日期结束金牌银牌铜牌普通贵宾热线投诉维修售后前台财务人事行政采购销售市场"
    "張劉陳楊趙黃吳孫馬羅鄭謝韓馮蕭鄧許蘇盧蔣賈葉閻鍾薑譚鄒陸顧龍錢湯喬賀賴龔歐陽諸莊簡游詹施洪翁柯顏連溫"
    "偉麗軍艷傑濤剛華蘭紅國誌軒瑩穎鵬飛輝鳳雲瓊蓮曉瑞榮慶寶興勝宏銘豪廷宗翰冠承佑柏睿彥品妤涵雅婷怡君淑芬惠美玲"
    "宜蓉雯琳瑜珮佩心志明家俊世建文德仁義禮智信忠孝"
    "台北臺灣高雄縣區鄉鎮號樓室層樂園車東門電話機業務員會計經際貿實業團術資訊機設備築醫藥學輸廣傳媒詢產險證券"
    "這個們來為時說國會對發後過種現當動還進樣開實無與長機關點業將兩間問應戰頭體見產結報數場統隊決術領確觀讓識導爭運"
    "田中鈴木佐藤高橋伊藤渡辺山本中村小林加藤吉田山田佐々木山口松本井上木村清水斎藤林山崎池田橋本阿部石川森前田小川"
    "藤田岡田後藤近藤長谷川村上坂本遠藤青木西村福田太田三浦藤原岡本松田中島金子原田竹内小野中山和田石田上田森田原柴田"
    "太郎一郎花子健翔美咲愛結衣陽菜大輔直樹裕子恵智真由誠隆浩幸雄次郎正義和也千代春夫秋桜優香里奈"
    "株式会社有限東京大阪京都横浜名古屋神戸札幌仙台広島福岡県市町村丁目番地号室商事産業工業製作所銀行学校大学病院支店"
)
# Hangul of names of people, places and companies: 0.9 of a right reading, 0.2 of a wrong one.
_HANGUL: Final = frozenset(
    "가강거건경계고곡골공과관광교구국군권귀규균근금기길김나남내노농누다단당대덕도독돈동두득라락란람랑래량려력련렬령로록"
    "롱루류륜률름리린림마만말매맹면명모목무묵문물미민박반방배백번범법벽변별병보복본봉부북분비빈사산삼상새서석선설섭성세소"
    "손솔송수숙순술숭스슬승시식신실심아안애양어언엄업에여역연열염엽영예오옥온와완왕요용우욱운울웅원월위유육윤율융은을음의"
    "이익인일임자작장재저전점정제조종좌주준중증지직진차찬창채처천철청체초총최추축춘출충치칠탁탄태택터토통트티판팔편평포표"
    "품풍프피필하학한함합항해행향허헌혁현형혜호홍화환황회효후훈휘휴흥희히"
)
_PUNCTUATION: Final = frozenset("«»“”„‘’‚·、。，．・（）「」『』〔〕【】：；！？–—…ー¿¡\xa0\u3000§©®°²³´ªº€•™№£¥")
_WORD: Final = re.compile(r"[\u0e01-\u0e4e]+|[^\W\d_]+")
_WIDE: Final = {0xFF01 + n: 0x21 + n for n in range(94)}  # full-width ASCII, as Chinese and Japanese forms have it
# What no right reading has: a sign at the beginning of a word or inside one, and what is no character at all.
_NEVER: Final = re.compile(
    r"[©®£¥€™§](?=[^\W\d_])|(?<=[\u0370-\u0fff])[°²³´ªº]|(?<=[^\W\d_])[«»“”„¿¡•…](?=[^\W\d_])"
    r"|(?<=[A-KM-Za-km-z\u00c0-\u024f])·(?=[A-Za-z\u00c0-\u024f])|[\x80-\x9f\xad\ue000-\uf8ff]"
)
_INSIDE_LATIN: Final = re.compile(r"(?<=[A-Za-z])[^\x00-\x7f]+(?=[a-z])")
_APOSTROPHE: Final = re.compile(r"\b[DLO]’(?=[A-Z])|(?<=[a-z])’(?:s|t|d|m|re|ll|ve)\b")
# A vowel sign or tone mark stands on a consonant.
_NOT_THAI: Final = re.compile(r"(?:^|[\u0e30\u0e32\u0e33\u0e40-\u0e46])[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]")


def evidence(text: str, alphabets: Sequence[frozenset[str]]) -> float:
    """How much the text speaks for having been read rightly; below 0, against it.

    It is the natural logarithm of how many times likelier such words are in a right reading than in a wrong one.
    `alphabets` has, for each language that the encoding is for, the letters that ASCII and Hanzi lack.
    """
    text = unicodedata.normalize("NFC", text.translate(_WIDE))
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    scripts = [_script(word) for word in words]
    main = max(set(scripts) - {"LATIN"}, key=scripts.count, default="LATIN")
    strangers = sum(script not in (main, "LATIN") for script in scripts)
    symbols = sum(not (ch.isascii() or ch.isalpha() or ch in _PUNCTUATION or _is_thai(ch)) for ch in text)
    against = 3 * symbols + 7 * len(_NEVER.findall(text)) + 2 * strangers
    in_words = sum(_of_word(word, script, alphabets) for word, script in zip(words, scripts, strict=True))
    return in_words + 3 * len(_APOSTROPHE.findall(text)) - against


def _of_word(word: str, script: str, alphabets: Sequence[frozenset[str]]) -> float:
    """The evidence of one word, from what was counted in some hundred names in right and wrong readings."""
    match script:
        case "LATIN":
            return 2.3 if _is_latin(word, alphabets) else -5.0
        case "CYRILLIC" | "GREEK":
            return _of_cased(word.lower(), *_ALPHABETS[script]) + _of_case(word)
        case "HEBREW" | "ARABIC":
            return 0.5 if len(word) > 1 else -2.0
        case "HAN":
            known = sum(ch in _HAN or any(ch in kana for kana in alphabets) for ch in word)
            others = sum(not ch.isascii() for ch in word) - known
            return 1.8 * known - 1.2 * others - 4.0 * len(_INSIDE_LATIN.findall(word))
        case "HANGUL":
            known = sum(ch in _HANGUL for ch in word)
            return 1.8 * known - 2.5 * (len(word) - known)
        case "THAI":
            return -4.0 if _NOT_THAI.search(word) else 1.0
        case _:
            return -7.0


def _of_cased(word: str, common: str, vowels: str) -> float:
    known = sum(ch in common for ch in word)
    no_vowel = len(word) > 2 and not any(ch in vowels for ch in word)
    return 0.35 * known - 1.3 * (len(word) - known) - 2.0 * no_vowel


def _of_case(word: str) -> float:
    if word.islower():
        return -0.5
    if word.isupper():
        return -0.7
    return 1.0 if word.istitle() else -4.0


def _script(word: str) -> str:
    """The script of a word's letters: of those that are not ASCII, where Chinese has a Latin word beside it."""
    found = {_script_of(ch) for ch in word if not ch.isascii()}
    alone = found <= {"HAN", "HANGUL", "LATIN"} or not any(ch.isascii() for ch in word)
    return found.pop() if len(found) == 1 and alone else "several"


def _is_thai(ch: str) -> bool:
    return "\u0e01" <= ch <= "\u0e4e"


def _script_of(ch: str) -> str:
    if "\u3041" <= ch <= "\u30ff" or "\u4e00" <= ch <= "\u9fff" or ch == "々":
        return "HAN"
    return unicodedata.name(ch, "?").partition(" ")[0]


def _is_latin(word: str, alphabets: Sequence[frozenset[str]]) -> bool:
    accented = {"i" if ch == "İ" else ch.lower() for ch in word if not ch.isascii()} - {"i"}
    only_accents = len(word) > 1 and not any(map(str.isascii, word))
    return not only_accents and any(accented <= each for each in alphabets) and _has_good_case(word)


def _has_good_case(word: str) -> bool:
    """Small letters, capitals, a capital first, or a second one in ASCII as in `McMüller`."""
    word = word.replace("ß", "s" if word[:-1].islower() or word[1:].islower() else "S")
    if word.islower() or word.isupper() or (word[0].isupper() and word[1:].islower()):
        return True
    inner = re.fullmatch(r"[A-Z][a-z]+([A-Z])(\w+)", word)
    return inner is not None and inner[2].islower()
