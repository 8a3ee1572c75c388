/*
 * banklist.h
 *		The banks, one row for each, in the order of the API's document.
 *
 * Included by banks.c several times with other meanings of the macros, hence
 * no include guard.
 *
 * JIBIT_BANK(id, name, Persian name, website, IBAN codes, card prefixes,
 * identifiers of the banks that it took in).  IBAN_CODE and CARD_PREFIX repeat
 * the id, since they also stand alone.  The website is "" where none is
 * known.
 */

/* clang-format off */
JIBIT_BANK(MARKAZI, "Central Bank of the Islamic Republic of Iran",
		   "بانک مرکزی جمهوری اسلامی ایران", "www.cbi.ir",
		   IBAN_CODE(MARKAZI, 010),
		   CARD_PREFIX(MARKAZI, 636795) CARD_PREFIX(MARKAZI, 636797),
		   /* none */)
JIBIT_BANK(SANAT_VA_MADAN, "Bank of Industry & Mine",
		   "بانک صنعت و معدن", "www.bim.ir",
		   IBAN_CODE(SANAT_VA_MADAN, 011),
		   CARD_PREFIX(SANAT_VA_MADAN, 627961),
		   /* none */)
JIBIT_BANK(MELLAT, "Bank Mellat",
		   "بانک ملت", "www.bankmellat.ir",
		   IBAN_CODE(MELLAT, 012),
		   CARD_PREFIX(MELLAT, 610433) CARD_PREFIX(MELLAT, 991975),
		   /* none */)
JIBIT_BANK(REFAH, "Refah K. Bank",
		   "بانک رفاه کارگران", "www.refah-bank.ir",
		   IBAN_CODE(REFAH, 013),
		   CARD_PREFIX(REFAH, 589463),
		   /* none */)
JIBIT_BANK(MASKAN, "Bank Maskan",
		   "بانک مسکن", "www.bank-maskan.ir",
		   IBAN_CODE(MASKAN, 014),
		   CARD_PREFIX(MASKAN, 628023),
		   /* none */)
JIBIT_BANK(SEPAH, "Bank Sepah",
		   "بانک سپه", "www.banksepah.ir",
		   IBAN_CODE(SEPAH, 015) IBAN_CODE(SEPAH, 052)
		   IBAN_CODE(SEPAH, 063) IBAN_CODE(SEPAH, 065)
		   IBAN_CODE(SEPAH, 073) IBAN_CODE(SEPAH, 079),
		   CARD_PREFIX(SEPAH, 589210) CARD_PREFIX(SEPAH, 604932)
		   CARD_PREFIX(SEPAH, 639599) CARD_PREFIX(SEPAH, 627381)
		   CARD_PREFIX(SEPAH, 636949) CARD_PREFIX(SEPAH, 505801)
		   CARD_PREFIX(SEPAH, 639370),
		   MERGED(GHAVAMIN) MERGED(ANSAR) MERGED(HEKMAT) MERGED(KOSAR)
		   MERGED(MEHR_EGHTESAD))
JIBIT_BANK(KESHAVARZI, "Bank Keshavarzi Iran",
		   "بانک کشاورزی", "www.bki.ir",
		   IBAN_CODE(KESHAVARZI, 016),
		   CARD_PREFIX(KESHAVARZI, 603770) CARD_PREFIX(KESHAVARZI, 639217),
		   /* none */)
JIBIT_BANK(MELLI, "Bank Melli Iran",
		   "بانک ملی ایران", "www.bmi.ir",
		   IBAN_CODE(MELLI, 017),
		   CARD_PREFIX(MELLI, 603799) CARD_PREFIX(MELLI, 170019),
		   /* none */)
JIBIT_BANK(TEJARAT, "Tejarat Bank",
		   "بانک تجارت", "www.tejaratbank.ir",
		   IBAN_CODE(TEJARAT, 018),
		   CARD_PREFIX(TEJARAT, 627353) CARD_PREFIX(TEJARAT, 585983),
		   /* none */)
JIBIT_BANK(SADERAT, "Bank Saderat Iran",
		   "بانک صادرات ایران", "www.bsi.ir",
		   IBAN_CODE(SADERAT, 019),
		   CARD_PREFIX(SADERAT, 603769) CARD_PREFIX(SADERAT, 903769),
		   /* none */)
JIBIT_BANK(TOSEAH_SADERAT, "Export Development Bank of Iran",
		   "بانک توسعه صادرات ایران", "www.edbi.ir",
		   IBAN_CODE(TOSEAH_SADERAT, 020),
		   CARD_PREFIX(TOSEAH_SADERAT, 627648)
		   CARD_PREFIX(TOSEAH_SADERAT, 207177),
		   /* none */)
JIBIT_BANK(POST, "Post Bank Iran",
		   "پست بانک ایران", "www.postbank.ir",
		   IBAN_CODE(POST, 021),
		   CARD_PREFIX(POST, 627760),
		   /* none */)
JIBIT_BANK(TOSEAH_TAAVON, "Tose'e Ta'avon Bank",
		   "بانک توسعه تعاون", "www.ttbank.ir",
		   IBAN_CODE(TOSEAH_TAAVON, 022),
		   CARD_PREFIX(TOSEAH_TAAVON, 502908),
		   /* none */)
JIBIT_BANK(KARAFARIN, "Karafarin Bank",
		   "بانک کارآفرین", "www.karafarinbank.ir",
		   IBAN_CODE(KARAFARIN, 053),
		   CARD_PREFIX(KARAFARIN, 627488) CARD_PREFIX(KARAFARIN, 502910),
		   /* none */)
JIBIT_BANK(PARSIAN, "Parsian Bank",
		   "بانک پارسیان", "www.parsian-bank.ir",
		   IBAN_CODE(PARSIAN, 054),
		   CARD_PREFIX(PARSIAN, 622106) CARD_PREFIX(PARSIAN, 627884)
		   CARD_PREFIX(PARSIAN, 639194),
		   /* none */)
JIBIT_BANK(EGHTESAD_NOVIN, "Bank Eghtesad Novin",
		   "بانک اقتصاد نوین", "www.enbank.ir",
		   IBAN_CODE(EGHTESAD_NOVIN, 055),
		   CARD_PREFIX(EGHTESAD_NOVIN, 627412),
		   /* none */)
JIBIT_BANK(SAMAN, "Saman Bank",
		   "بانک سامان", "www.sb24.ir",
		   IBAN_CODE(SAMAN, 056),
		   CARD_PREFIX(SAMAN, 621986) CARD_PREFIX(SAMAN, 62198619)
		   CARD_PREFIX(SAMAN, 62198618),
		   MERGED(BLU))
JIBIT_BANK(PASARGAD, "Bank Pasargad",
		   "بانک پاسارگاد", "www.bpi.ir",
		   IBAN_CODE(PASARGAD, 057),
		   CARD_PREFIX(PASARGAD, 502229) CARD_PREFIX(PASARGAD, 639347),
		   /* none */)
JIBIT_BANK(SARMAYEH, "Sarmayeh Bank",
		   "بانک سرمایه", "www.sbank.ir",
		   IBAN_CODE(SARMAYEH, 058),
		   CARD_PREFIX(SARMAYEH, 639607),
		   /* none */)
JIBIT_BANK(SINA, "Sina Bank",
		   "بانک سینا", "www.sinabank.ir",
		   IBAN_CODE(SINA, 059),
		   CARD_PREFIX(SINA, 639346),
		   /* none */)
JIBIT_BANK(MEHR_IRAN, "Gharzolhasane Mehr Iran Bank",
		   "بانک قرض‌الحسنه مهر ایران", "www.qmb.ir",
		   IBAN_CODE(MEHR_IRAN, 060) IBAN_CODE(MEHR_IRAN, 090),
		   CARD_PREFIX(MEHR_IRAN, 606373),
		   /* none */)
JIBIT_BANK(SHAHR, "Shahr Bank",
		   "بانک شهر", "www.shahr-bank.ir",
		   IBAN_CODE(SHAHR, 061),
		   CARD_PREFIX(SHAHR, 502806) CARD_PREFIX(SHAHR, 504706),
		   /* none */)
JIBIT_BANK(AYANDEH, "Ayandeh Bank",
		   "بانک آینده", "www.ba24.ir",
		   IBAN_CODE(AYANDEH, 062),
		   CARD_PREFIX(AYANDEH, 636214),
		   MERGED(TAT))
JIBIT_BANK(GARDESHGARI, "Tourism Bank",
		   "بانک گردشگری", "www.tourismbank.ir",
		   IBAN_CODE(GARDESHGARI, 064),
		   CARD_PREFIX(GARDESHGARI, 505416)
		   CARD_PREFIX(GARDESHGARI, 505426),
		   /* none */)
JIBIT_BANK(DAY, "Day Bank",
		   "بانک دی", "www.bank-day.ir",
		   IBAN_CODE(DAY, 066),
		   CARD_PREFIX(DAY, 502938),
		   /* none */)
JIBIT_BANK(IRANZAMIN, "Iran Zamin Bank",
		   "بانک ایران زمین", "www.izbank.ir",
		   IBAN_CODE(IRANZAMIN, 069),
		   CARD_PREFIX(IRANZAMIN, 505785),
		   /* none */)
JIBIT_BANK(RESALAT, "Resalat Gharzolhasane Bank",
		   "بانک قرض‌الحسنه رسالت", "www.rqbank.ir",
		   IBAN_CODE(RESALAT, 070),
		   CARD_PREFIX(RESALAT, 504172),
		   /* none */)
JIBIT_BANK(MELAL, "Melal Credit Institution",
		   "موسسه اعتباری ملل", "www.melalbank.ir",
		   IBAN_CODE(MELAL, 075),
		   CARD_PREFIX(MELAL, 606256),
		   MERGED(ASKARIEH))
JIBIT_BANK(KHAVARMIANEH, "Middle East Bank",
		   "بانک خاورمیانه", "www.middleeastbank.ir",
		   IBAN_CODE(KHAVARMIANEH, 078),
		   CARD_PREFIX(KHAVARMIANEH, 585947)
		   CARD_PREFIX(KHAVARMIANEH, 505809),
		   /* none */)
JIBIT_BANK(NOOR, "Noor Credit Institution",
		   "موسسه اعتباری نور", "www.noorbank.ir",
		   IBAN_CODE(NOOR, 080),
		   CARD_PREFIX(NOOR, 507677),
		   /* none */)
JIBIT_BANK(IRAN_VENEZUELA, "Iran-Venezuela BiNational Bank",
		   "بانک ایران و ونزوئلا", "www.ivbb.ir",
		   IBAN_CODE(IRAN_VENEZUELA, 095),
		   CARD_PREFIX(IRAN_VENEZUELA, 581874),
		   /* none */)
JIBIT_BANK(TOSEAH, "Tose'e Credit Institution",
		   "موسسه اعتباری توسعه", "",
		   IBAN_CODE(TOSEAH, 051),
		   CARD_PREFIX(TOSEAH, 628157),
		   /* none */)
JIBIT_BANK(UNKNOWN, "-",
		   "نامشخص", "",
		   /* no IBAN code */,
		   /* no card prefix */,
		   /* none */)
