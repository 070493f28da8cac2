"""Files as spreadsheets of the world save them: read as they were written, or refused with a question."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cti_server.imports.columns import WrongFile
from cti_server.imports.encodings import detect
from cti_server.imports.files import open_rows

NAMES = {
    "gb18030": "王小明 李娜 张伟 刘洋 诸葛亮 欧阳锋 司马懿 尉迟恭 冼星海 徐静蕾 邯郸钢铁 上海移动 深圳公司",
    "cp950": "王小明 陳美玲 張志偉 諸葛亮 蔡依林 鄧麗君 韓國瑜 高雄貿易有限公司 中華電信 台北市信義區忠孝東路",
    "big5hkscs": "李嘉誠 劉德華 張學友 香港中環 旺角彌敦道 深水埗",
    "cp932": "田中太郎 鈴木一郎 安倍晋三 大谷翔平 石原さとみ 羽生結弦 ソニー株式会社 東京都千代田区 大阪府大阪市",
    "euc_jp": "田中太郎 鈴木一郎 安倍晋三 大谷翔平 石原さとみ ソニー株式会社 東京都千代田区",
    "cp949": "김철수 이영희 문재인 손흥민 송혜교 아이유 카카오 삼성전자 현대자동차 서울특별시 강남구",
    "cp1252": "Jürgen Müller|Zoë Brontë|José Álvarez|Peña Núñez|João Conceição|Søren Ødegård|Åse Håkansson"
    "|François Noël|Hélène Lefèvre|Große & Söhne GmbH|Café “Zürich”|Sigríður Æ|Päivi Öberg|O’Neil",
    "cp1250": "Łukasz Wójcik|Małgorzata Śliwińska|Jiří Dvořák|Zdeněk Růžička|Gábor Szűcs|Győző Őry|Željko Šarić",
    "iso8859_2": "Łukasz Wójcik|Małgorzata Śliwińska|Jiří Dvořák|Zdeněk Růžička|Gábor Szűcs",
    "cp1251": "Иван Петров|Александр Пушкин|Фёдор Достоевский|Щукин Эдуард|ООО «Газпром»|ул. Ленина|Їжакевич",
    "koi8_r": "Иван Петров|Александр Пушкин|Фёдор Достоевский|Щукин Эдуард|Виталий Калинин",
    "cp866": "Иван Петров|Александр Пушкин|Фёдор Достоевский|Щукин Эдуард|Виталий Калинин",
    "iso8859_5": "Иван Петров|Александр Пушкин|Щукин Эдуард|Виталий Калинин",
    "cp1253": "Γιώργος Παπαδόπουλος|Ελένη Μενεγάκη|Αλέξης Τσίπρας|Θεσσαλονίκη|Ξένια Χρήστου|Ύδρα",
    "cp1254": "Mustafa Atatürk|Recep Erdoğan|Ayşe Yılmaz|İbrahim Çelik|Gülşen Öztürk|Işıl Kaya",
    "cp1255": "בנימין נתניהו|שרה כהן|דוד לוי|תל אביב|ירושלים",
    "cp1256": "محمد أحمد|فاطمة الزهراء|عبد الله|القاهرة|شركة الاتصالات",
    "cp1257": "Jūratė Žukauskaitė|Šarūnas Čepas|Kārlis Bērziņš|Ģirts Ļaviņš|Õie Mägi",
    "cp874": "สมชาย ใจดี|กรุงเทพมหานคร|บริษัท ไทย จำกัด|สุภาพร|สุดา|มาลี",
    "mac_roman": "Jürgen Groß|Hélène Noël|Peña Nieto|João Magalhães|Søren Ødegård",
    "cp850": "Jürgen Groß|Hélène Noël|Peña Nieto|João Magalhães|Søren Ødegård",
}


def names_in(codec: str) -> list[str]:
    text = NAMES[codec]
    return text.split("|" if "|" in text else " ")


def customers(names: list[str], mark: str = ";") -> str:
    rows = [f"K-{n}{mark}{name}{mark}+49 30 {1234567 + n}" for n, name in enumerate(names)]
    return "\r\n".join([f"external_ref{mark}name{mark}phone", *rows]) + "\r\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "customers.csv"


# These are told apart by some dozen names. Where two encodings make names of the same bytes, they are asked for.
TOLD = sorted(NAMES.keys() - {"cp1255"})


@pytest.mark.parametrize("codec", TOLD)
def test_a_file_of_names_is_read_as_it_was_written(file: Path, codec: str) -> None:
    text = customers(names_in(codec))
    file.write_bytes(text.encode(codec))
    found = detect(file, "CN")
    assert text.encode(codec).decode(found) == text


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.sampled_from(sorted(NAMES)), st.sampled_from(["CN", "GB", "TW", "RU", "PL"]))
def test_a_file_of_a_few_names_is_read_rightly_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, codec: str, region: str
) -> None:
    names = data.draw(st.lists(st.sampled_from(names_in(codec)), min_size=1, max_size=6))
    file = tmp_path_factory.getbasetemp() / "few.csv"
    raw = customers(names).encode(codec)
    file.write_bytes(raw)
    try:
        found = detect(file, region)
    except WrongFile as refused:
        assert "--encoding" in str(refused)  # noqa: PT017 - either is right
    else:
        assert raw.decode(found) == raw.decode(codec)


@pytest.mark.parametrize(
    ("names", "codec", "region", "says"),
    [
        # what charset-normalizer takes for something else, and issues that users wrote of it
        (["Søren"], "cp1252", "GB", "'Søren' in windows-1252, 'Sřren' in windows-1250"),
        (["Español"], "cp1252", "GB", "'Español' in windows-1252, 'Espańol' in windows-1250"),
        (["Beşiktaş"], "cp1254", "CN", "'Beşiktaş' in windows-1254"),
        (["אביב"], "cp1255", "CN", "'אביב' in windows-1255"),
        (["\x81\x8d\x8f"], "latin-1", "CN", "not clearly anything else"),
    ],
)
def test_what_may_be_several_is_asked_for_with_what_it_would_be(
    file: Path, names: list[str], codec: str, region: str, says: str
) -> None:
    file.write_bytes(customers(names).encode(codec))
    with pytest.raises(WrongFile, match="--encoding") as refused:
        detect(file, region)
    assert "customers.csv is not UTF-8" in str(refused.value)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("header", "codec"),
    [
        ("客户编号,姓名", "gb18030"),
        ("編號,姓名", "cp950"),
        ("编号;姓名", "gb18030"),
        ('"客户编号"|"姓名"', "gb18030"),
    ],
)
def test_a_column_with_its_chinese_name_tells_the_encoding(file: Path, header: str, codec: str) -> None:
    file.write_bytes(f"{header}\r\nK-1,Li\r\n".encode(codec))
    assert detect(file, "GB") == codec


@pytest.mark.parametrize(
    ("raw", "codec"),
    [
        (customers(["王小明"]).encode("utf-8-sig"), "utf-8-sig"),
        (customers(["王小明"]).encode("utf-16"), "utf-16"),
        (customers(["王小明"]).encode("utf-16-le"), "utf-16-le"),
        (customers(["王小明"]).encode("utf-16-be"), "utf-16-be"),
        (customers(["王小明"]).encode("utf-32"), "utf-32"),
        (customers(["王小明"]).encode(), "utf-8"),
        (customers(["Li"]).encode(), "utf-8"),
        (customers(["王小明和他的朋友们", "李娜"]).encode() + b"K-3;bad\xff;\r\n", "utf-8"),
    ],
)
def test_unicode_is_known_with_its_mark_and_without(file: Path, raw: bytes, codec: str) -> None:
    file.write_bytes(raw)
    assert detect(file, "CN") == codec


def rows(file: Path, encoding: str | None = None) -> list[tuple[str, ...]]:
    with open_rows(file, "CN", encoding) as source:
        return [row.cells for row in source.rows()]


@pytest.mark.parametrize(
    ("codec", "encoding"),
    [
        ("cp1252", "windows-1252"),
        ("cp1252", "Latin-1"),
        ("cp950", "BIG5"),
        ("cp932", "shift_jis"),
        ("cp949", "EUC-KR"),
        ("cp1251", "cp1251"),
        ("gb18030", "GBK"),
        ("utf-16-le", "UTF-16LE"),
        ("utf-16", "utf-16"),
        ("utf-8-sig", "UTF-8"),
    ],
)
def test_what_a_person_says_is_done(file: Path, codec: str, encoding: str) -> None:
    names = names_in(codec) if codec in NAMES else ["王小明"]
    file.write_bytes(customers(names[:1]).encode(codec))
    assert rows(file, encoding)[1][:2] == ("K-0", names[0])


def test_what_a_person_says_is_refused_where_it_cannot_be(file: Path) -> None:
    file.write_bytes(customers(["王小明"]).encode("utf-8-sig"))
    with pytest.raises(WrongFile, match=r"begins with the mark of UTF-8, so it is not big5"):
        rows(file, "big5")
    with pytest.raises(WrongFile, match=r"'klingon' is no encoding .* windows-1252, .* utf-16"):
        rows(file, "klingon")


def test_a_byte_that_the_declared_encoding_has_not_is_one_bad_row(file: Path) -> None:
    file.write_bytes(customers(["Jürgen"]).encode("cp1252") + b"K-2;a\x81b;\r\n")
    with open_rows(file, "CN", "windows-1252") as source:
        assert [row.problem is None for row in source.rows()] == [True, True, False]


@pytest.mark.parametrize(
    ("first", "mark"),
    [
        ("sep=;", ";"),
        ("SEP=,", ","),
        ('"sep=;"', ";"),
        ("sep=|", "|"),
        ("sep=\t", "\t"),
        ("sep=\\t", "\t"),
        ("sep=~", "~"),  # export-to-csv 43
        ("sep=;,,,", ";"),  # saved again by a program that takes commas
    ],
)
@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-8", "utf-16"])
def test_a_first_line_that_names_the_separator_is_no_header(file: Path, first: str, mark: str, codec: str) -> None:
    text = f"{first}\r\n" + customers(["Anna Fischer"], mark) + f'K-9{mark}"two\nlines"{mark}\r\n'
    file.write_bytes(text.encode(codec))
    with open_rows(file, "CN") as source:
        read = list(source.rows())
        assert list(source.rows()) == read
    assert read[0].cells == ("external_ref", "name", "phone")
    assert read[1].cells[:2] == ("K-0", "Anna Fischer")
    assert [row.line for row in read] == [2, 3, 4]
