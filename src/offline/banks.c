/*
 * banks.c
 *		The banks, in the order of the API's document.
 */
#include "banks.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NONE ((const char *const[]){NULL})

/* id, name, Persian name, website, IBAN codes, card prefixes, merged banks */
const JibitBank jibit_banks[] = {
	{"MARKAZI", "Central Bank of the Islamic Republic of Iran",
	 "بانک مرکزی جمهوری اسلامی ایران", "www.cbi.ir", LIST("010"),
	 LIST("636795", "636797"), NONE},
	{"SANAT_VA_MADAN", "Bank of Industry & Mine", "بانک صنعت و معدن",
	 "www.bim.ir", LIST("011"), LIST("627961"), NONE},
	{"MELLAT", "Bank Mellat", "بانک ملت", "www.bankmellat.ir", LIST("012"),
	 LIST("610433", "991975"), NONE},
	{"REFAH", "Refah K. Bank", "بانک رفاه کارگران", "www.refah-bank.ir",
	 LIST("013"), LIST("589463"), NONE},
	{"MASKAN", "Bank Maskan", "بانک مسکن", "www.bank-maskan.ir", LIST("014"),
	 LIST("628023"), NONE},
	{"SEPAH", "Bank Sepah", "بانک سپه", "www.banksepah.ir",
	 LIST("015", "052", "063", "065", "073", "079"),
	 LIST("589210", "604932", "639599", "627381", "636949", "505801",
		  "639370"),
	 LIST("GHAVAMIN", "ANSAR", "HEKMAT", "KOSAR", "MEHR_EGHTESAD")},
	{"KESHAVARZI", "Bank Keshavarzi Iran", "بانک کشاورزی", "www.bki.ir",
	 LIST("016"), LIST("603770", "639217"), NONE},
	{"MELLI", "Bank Melli Iran", "بانک ملی ایران", "www.bmi.ir", LIST("017"),
	 LIST("603799", "170019"), NONE},
	{"TEJARAT", "Tejarat Bank", "بانک تجارت", "www.tejaratbank.ir",
	 LIST("018"), LIST("627353", "585983"), NONE},
	{"SADERAT", "Bank Saderat Iran", "بانک صادرات ایران", "www.bsi.ir",
	 LIST("019"), LIST("603769", "903769"), NONE},
	{"TOSEAH_SADERAT", "Export Development Bank of Iran",
	 "بانک توسعه صادرات ایران", "www.edbi.ir", LIST("020"),
	 LIST("627648", "207177"), NONE},
	{"POST", "Post Bank Iran", "پست بانک ایران", "www.postbank.ir",
	 LIST("021"), LIST("627760"), NONE},
	{"TOSEAH_TAAVON", "Tose'e Ta'avon Bank", "بانک توسعه تعاون",
	 "www.ttbank.ir", LIST("022"), LIST("502908"), NONE},
	{"KARAFARIN", "Karafarin Bank", "بانک کارآفرین", "www.karafarinbank.ir",
	 LIST("053"), LIST("627488", "502910"), NONE},
	{"PARSIAN", "Parsian Bank", "بانک پارسیان", "www.parsian-bank.ir",
	 LIST("054"), LIST("622106", "627884", "639194"), NONE},
	{"EGHTESAD_NOVIN", "Bank Eghtesad Novin", "بانک اقتصاد نوین",
	 "www.enbank.ir", LIST("055"), LIST("627412"), NONE},
	{"SAMAN", "Saman Bank", "بانک سامان", "www.sb24.ir", LIST("056"),
	 LIST("621986", "62198619", "62198618"), LIST("BLU")},
	{"PASARGAD", "Bank Pasargad", "بانک پاسارگاد", "www.bpi.ir", LIST("057"),
	 LIST("502229", "639347"), NONE},
	{"SARMAYEH", "Sarmayeh Bank", "بانک سرمایه", "www.sbank.ir", LIST("058"),
	 LIST("639607"), NONE},
	{"SINA", "Sina Bank", "بانک سینا", "www.sinabank.ir", LIST("059"),
	 LIST("639346"), NONE},
	{"MEHR_IRAN", "Gharzolhasane Mehr Iran Bank",
	 "بانک قرض‌الحسنه مهر ایران", "www.qmb.ir",
	 LIST("060", "090"), LIST("606373"), NONE},
	{"SHAHR", "Shahr Bank", "بانک شهر", "www.shahr-bank.ir", LIST("061"),
	 LIST("502806", "504706"), NONE},
	{"AYANDEH", "Ayandeh Bank", "بانک آینده", "www.ba24.ir", LIST("062"),
	 LIST("636214"), LIST("TAT")},
	{"GARDESHGARI", "Tourism Bank", "بانک گردشگری", "www.tourismbank.ir",
	 LIST("064"), LIST("505416", "505426"), NONE},
	{"DAY", "Day Bank", "بانک دی", "www.bank-day.ir", LIST("066"),
	 LIST("502938"), NONE},
	{"IRANZAMIN", "Iran Zamin Bank", "بانک ایران زمین", "www.izbank.ir",
	 LIST("069"), LIST("505785"), NONE},
	{"RESALAT", "Resalat Gharzolhasane Bank",
	 "بانک قرض‌الحسنه رسالت", "www.rqbank.ir", LIST("070"),
	 LIST("504172"), NONE},
	{"MELAL", "Melal Credit Institution", "موسسه اعتباری ملل",
	 "www.melalbank.ir", LIST("075"), LIST("606256"), LIST("ASKARIEH")},
	{"KHAVARMIANEH", "Middle East Bank", "بانک خاورمیانه",
	 "www.middleeastbank.ir", LIST("078"), LIST("585947", "505809"), NONE},
	{"NOOR", "Noor Credit Institution", "موسسه اعتباری نور", "www.noorbank.ir",
	 LIST("080"), LIST("507677"), NONE},
	{"IRAN_VENEZUELA", "Iran-Venezuela BiNational Bank",
	 "بانک ایران و ونزوئلا", "www.ivbb.ir", LIST("095"), LIST("581874"), NONE},
	{"TOSEAH", "Tose'e Credit Institution", "موسسه اعتباری توسعه", "",
	 LIST("051"), LIST("628157"), NONE},
	{"UNKNOWN", "-", "نامشخص", "", NONE, NONE, NONE},
	{0},
};

/* The length of the prefix, or 0 where the digits have another one. */
static int
match(const char *digits, const char *prefix)
{
	int length = 0;

	while (prefix[length] && digits[length] == prefix[length])
		length++;
	return prefix[length] ? 0 : length;
}

const JibitBank *
jibit_bank_by_iban(const char *iban)
{
	for (const JibitBank *bank = jibit_banks; bank->id; bank++)
	{
		/* IR, two check digits, then the bank. */
		for (const char *const *code = bank->iban_codes; *code; code++)
		{
			if (match(iban + 4, *code))
				return bank;
		}
	}
	return NULL;
}

const JibitBank *
jibit_bank_by_card(const char *card)
{
	const JibitBank *found = NULL;
	int longest = 0;

	for (const JibitBank *bank = jibit_banks; bank->id; bank++)
	{
		for (const char *const *prefix = bank->card_prefixes; *prefix;
			 prefix++)
		{
			int length = match(card, *prefix);

			if (length > longest)
			{
				longest = length;
				found = bank;
			}
		}
	}
	return found;
}
