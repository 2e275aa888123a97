#!/usr/bin/env python3
"""Makes paper.bin, the bitmap font of pictures of paper, from Noto Sans Mono CJK SC and Noto Sans Mono.

    python3 make.py [NotoSansCJK-Regular.ttc NotoSansMono-Regular.ttf]

Needs Pillow and both fonts (Debian: fonts-noto-cjk, fonts-noto-mono). The outlines are under the SIL Open Font License 1.1 (OFL.txt); the result has no reserved name.

The file is a zlib stream of: the number of half-width and of full-width characters (two bytes each, little endian),
all code points (three bytes each, little endian), ascending within each of the two, then the rows of all characters:
24 rows of 12 dots (packed, 36 bytes) or of 24 dots (72 bytes), the leftmost dot in the highest bit. Each byte of a
bitmap is XORed with the byte one row above, which packs better.
"""
import struct
import sys
import zlib

from PIL import Image, ImageDraw, ImageFont

SOURCE = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
MONO = sys.argv[2] if len(sys.argv) > 2 else "/usr/share/fonts/truetype/noto/NotoSansMono-Regular.ttf"
FACE = 7  # Noto Sans Mono CJK SC within the collection
HEIGHT, HALF, FULL = 24, 12, 24
INK_FROM = 118  # of 255: how dark an antialiased dot must be
# Letters fill their cell; hanzi of 22 dots leave the air between them that printers' fonts have.
LATIN = ImageFont.truetype(SOURCE, 24, index=FACE), 19
HAN = ImageFont.truetype(SOURCE, 22, index=FACE), 20
# For letters that the first face lacks, or draws full-width only, such as Cyrillic: a western printer has them
# half-width. 20 dots high they are 12 wide.
LETTERS = ImageFont.truetype(MONO, 20), 19

# Beyond GB 2312: traditional and rarer characters seen in names, places and dishes.
EXTRAS = (
    "囍堃喆彧瑀玥昇昉祎禛珺琤瑄璟甯淼焱垚犇骉羴猋晶磊鑫森众品龘龢陞峯鎔鑄鎮鍾鄧鄭趙陳張劉楊黃吳孫馬許蔣謝馮於葉蘇呂盧賈閻鐘譚陸範韓賴龍萬錢湯賀顧龔嚴"
    "東車長門間問開關閉風飛魚鳥麥麵點黨齊齒龜國學會發財買賣價錢銀鐵館餐廳飯飲餅餃飩雞鴨鵝蝦蠔鯉鱸鱈鱔鰻鯊蟹貝雜湯燒烤鹵醬醃凍熱冰涼鮮鹹甜辣酸蔥薑蒜蘿蔔"
    "歡迎光臨謝惠顧請勿遺失憑據退換貨號碼單據應收實找零優惠折扣總計現金會員積分電話網頁時間經辦機號臺灣澳廣陽陰韓區縣鄉鎮路樓層門牌"
    "燜煲煨燴爌燉燻熬爆炆烎囧槑怼嘚瑟嗨吖咘啲嘢冇佢哋嚟喺咁啱睇諗揾攞瞓嗰噉唔係啦喎㗎"
)
EXTRA_SIGNS = "€₩₽₹₺₫₪฿₴₦₱₡₵₸₾ƒ₧–—‘’‚“”„†‡•…‰‹›™←↑→↓↔↕√∞∟∩≈≠≡≤≥⌐⌂⌠⌡■□▪▫▬▲►▼◄◊○●◘◙◦☺☻☼♀♂♠♣♥♦♪♫ⁿ⁄№Ω℮∂∆∏∑−∕∙∫▒░▓▀▄█▌▐"


def half_width():
    """Everything that western code pages have, and more of the same blocks."""
    yield from range(0x20, 0x7F)
    yield from range(0xA1, 0x180)
    yield from (0x192, 0x218, 0x219, 0x21A, 0x21B, 0x2C6, 0x2C7, 0x2D8, 0x2D9, 0x2DA, 0x2DB, 0x2DC, 0x2DD)
    yield from (code for code in range(0x370, 0x400) if chr(code).isprintable())
    yield from range(0x400, 0x460)
    yield from (0x490, 0x491)
    yield from range(0x2500, 0x25A0)
    yield from map(ord, EXTRA_SIGNS + "―‗₯ͺ΄")


def full_width():
    """GB 2312 with its signs, full-width forms, and the extras."""
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                yield ord(bytes([row, cell]).decode("gb2312"))
            except UnicodeDecodeError:
                pass
    yield from range(0x3000, 0x3020)
    yield from range(0xFF01, 0xFF5F)
    yield from range(0xFFE0, 0xFFE7)
    yield from (code for code in map(ord, EXTRAS))


def drawn(code, width):
    text = chr(code)
    font, baseline = LATIN if width == HALF else HAN
    if width == HALF and (not has(LATIN, code) or font.getlength(text) > HALF):
        font, baseline = LETTERS
    # A mark that stands alone, or a letter that is narrower than its cell, stands in the middle.
    left = round((width - font.getlength(text)) / 2)
    # Lines must meet their neighbours, so they are drawn as large as the cell.
    if 0x2500 <= code < 0x25A0 and width == FULL:
        font, baseline, left = LATIN[0], LATIN[1], 0
    image = Image.new("L", (width, HEIGHT), 0)
    ImageDraw.Draw(image).text((left, baseline), text, font=font, fill=255, anchor="ls")
    return image


def packed(image):
    bits = "".join("1" if dot >= INK_FROM else "0" for dot in image.tobytes())
    data = int(bits, 2).to_bytes(len(bits) // 8, "big")
    row = len(data) // HEIGHT if image.width == FULL else 3  # twelve dots: two rows are three bytes
    return bytes(byte ^ (data[at - row] if at >= row else 0) for at, byte in enumerate(data))


def has(face, code):
    """Whether the face has the character: what it lacks is drawn as one box."""
    missing, mask = face[0].getmask("\U000FFFFD"), face[0].getmask(chr(code))
    return code in (0x20, 0x3000) or (bytes(mask), mask.size) != (bytes(missing), missing.size)


def main():
    half = sorted(code for code in set(half_width()) if has(LATIN, code) or has(LETTERS, code))
    full = sorted(code for code in set(full_width()) if has(LATIN, code))
    body = struct.pack("<HH", len(half), len(full))
    body += b"".join(struct.pack("<I", code)[:3] for code in half + full)
    body += b"".join(packed(drawn(code, HALF)) for code in half)
    body += b"".join(packed(drawn(code, FULL)) for code in full)
    with open("paper.bin", "wb") as out:
        out.write(zlib.compress(body, 9))
    print(f"{len(half)} half-width and {len(full)} full-width characters, {len(body)} bytes, "
          f"{len(zlib.compress(body, 9))} compressed")


if __name__ == "__main__":
    main()
